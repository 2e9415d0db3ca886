package stracelog

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRecognizeProtocols is the bytes of part 5.
func TestRecognizeProtocols(t *testing.T) {
	for _, row := range []struct {
		payload string
		proto   Proto
		verb    string
	}{
		{`"get user:42\r\n"`, ProtoMemcached, "get"}, {`"VALUE user:42 0 3600\r\n"`, ProtoMemcached, "VALUE"}, {`"END\r\n"`, ProtoMemcached, "END"},
		{`"\200\1\0\7\10\0\0\0\0\0\0\17"`, ProtoMemcached, "binary"}, {`"mg key v\r\n"`, ProtoMemcached, "mg"},
		{`"d\0\0\0\n5.5.5-10.11.19-MariaDB"...`, ProtoMySQL, "greeting"}, {`"J\0\0\0\n8.0.36\0"`, ProtoMySQL, "greeting"},
		{`"\33\0\0\0\3SELECT v FROM t WHERE"...`, ProtoMySQL, "COM_QUERY"}, {`"\1\0\0\0\1"`, ProtoMySQL, "COM_QUIT"}, {`"\1\0\0\0\16"`, ProtoMySQL, "COM_PING"},
		{`"*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"`, ProtoRedis, "GET"}, {`"+OK\r\n"`, ProtoRedis, "OK"}, {`"$-1\r\n"`, ProtoRedis, "nil"},
		{`"\0\0\0\10\4\322\26/"`, ProtoPostgreSQL, "SSLRequest"}, {`"\0\0\0T\0\3\0\0user\0app"`, ProtoPostgreSQL, "startup"}, {`"Q\0\0\0\rSELECT 1\0"`, ProtoPostgreSQL, "Query"},
		{`"GET / HTTP/1.1\r\n"`, ProtoHTTP, "GET"}, {`"HTTP/1.1 200 OK\r\n"`, ProtoHTTP, "HTTP"}, {`"PRI * HTTP/2.0\r\n"`, ProtoHTTP, "PRI"},
		{`"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"`, ProtoFastCGI, "BEGIN_REQUEST"}, {`"\1\6\0\1\1\0\0\0"`, ProtoFastCGI, "STDOUT"},
		{`"\26\3\1\2\0\1"`, ProtoTLS, "handshake"}, {`"\27\3\3\0\30"`, ProtoTLS, "data"},
		{`"220 mail.example.test ESMTP Postfix\r\n"`, ProtoSMTP, "220"}, {`"EHLO me\r\n"`, ProtoSMTP, "EHLO"},
		{`""`, ProtoUnknown, ""}, {`"hello"`, ProtoUnknown, ""}, {`"\0\0\0\0\0"`, ProtoUnknown, ""},
	} {
		b, _, err := Unquote(nil, []byte(row.payload))
		require.NoError(t, err)
		p, verb := Recognize(b)
		require.Equal(t, row.proto, p, row.payload)
		require.Equal(t, row.verb, verb, row.payload)
		for i := range b {
			Recognize(b[:i]) // no prefix is trouble
		}
	}
}

func TestDNSNameOfACutPayload(t *testing.T) {
	const whole = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05cache\x07example\x04test\x00\x00\x01\x00\x01"
	for n, want := range map[int]string{len(whole): "cache.example.test", 32: "cache.example.test", 31: "cache.example.test", 29: "cache.example.te", 18: "cache", 15: "ca"} {
		name, all, ok := DNSName([]byte(whole[:n]))
		require.True(t, ok, n)
		require.Equal(t, want, name, n)
		require.Equal(t, n >= 32, all, n)
	}
	for _, bad := range []string{"", whole[:12], strings.Repeat("\xff", 40), "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05ca\x1bhe\x00"} {
		_, _, ok := DNSName([]byte(bad))
		require.False(t, ok)
	}
}

// one analyses a log of one request and returns it.
func one(t *testing.T, log string, opts ...AnalyzeOption) Request {
	t.Helper()
	rep, err := AnalyzeReader(NewReader(strings.NewReader(log)), opts...)
	require.NoError(t, err)
	require.Len(t, rep.Requests, 1)
	addsUp(t, &rep.Requests[0])
	return rep.Requests[0]
}

const accept8 = "7 1795337041.000000 accept(3, NULL, NULL) = 8 <0.000010>\n"

// TestClasses is part 7: each class is found, with the line that proves it.
func TestClasses(t *testing.T) {
	for _, row := range []struct {
		name, lines string
		class       Class
		peer        string
		from        int64
	}{
		{"sleep", "7 1795337041.000100 nanosleep({tv_sec=0, tv_nsec=50000000}, NULL) = 0 <0.050000>\n", ClassSleep, "", 2},
		{"poll as a sleep", "7 1795337041.000100 poll(NULL, 0, 50) = 0 (Timeout) <0.050000>\n", ClassSleep, "", 2},
		{"select as a sleep", "7 1795337041.000100 select(0, NULL, NULL, NULL, {tv_sec=0, tv_usec=50000}) = 0 (Timeout) <0.050000>\n", ClassSleep, "", 2},
		{"lock", "7 1795337041.000100 futex(0x7f, FUTEX_WAIT_PRIVATE, 2, NULL) = 0 <0.050000>\n", ClassLock, "", 2},
		{"file lock", "7 1795337041.000100 fcntl(9, F_SETLKW, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=0}) = 0 <0.050000>\n", ClassLock, "", 2},
		{"child", "7 1795337041.000100 wait4(9, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 9 <0.050000>\n", ClassChild, "", 2},
		{"fsync", "7 1795337041.000100 openat(AT_FDCWD, \"/x\", O_RDWR) = 9 <0.000010>\n7 1795337041.000200 fsync(9) = 0 <0.050000>\n", ClassFile, "", 3},
		{"read of a file", "7 1795337041.000100 openat(AT_FDCWD, \"/x\", O_RDWR) = 9 <0.000010>\n7 1795337041.000200 read(9, \"x\", 1) = 1 <0.050000>\n", ClassFile, "", 3},
		{"slow client", "7 1795337041.000100 poll([{fd=8, events=POLLIN}], 1, 5000) = 1 ([{fd=8, revents=POLLIN}]) <0.050000>\n", ClassClient, "", 2},
		{"connect", "7 1795337041.000100 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 9 <0.000010>\n7 1795337041.000200 connect(9, {sa_family=AF_INET, sin_port=htons(6379), sin_addr=inet_addr(\"10.0.0.1\")}, 16) = 0 <0.050000>\n",
			ClassConnect, "Redis 10.0.0.1:6379", 3},
		{"connect that goes on", "7 1795337041.000100 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 9 <0.000010>\n" +
			"7 1795337041.000200 connect(9, {sa_family=AF_INET, sin_port=htons(5432), sin_addr=inet_addr(\"10.0.0.1\")}, 16) = -1 EINPROGRESS (Operation now in progress) <0.000010>\n" +
			"7 1795337041.000300 poll([{fd=9, events=POLLOUT}], 1, 5000) = 1 ([{fd=9, revents=POLLOUT}]) <0.050000>\n", ClassConnect, "PostgreSQL 10.0.0.1:5432", 4},
		{"peer by -yy alone", "7 1795337041.000100 read(9<TCP:[10.0.0.9:40000->10.0.0.1:6379]>, \"+OK\\r\\n\", 100) = 5 <0.050000>\n", ClassPeer, "Redis 10.0.0.1:6379", 2},
		{"peer by payload on another port", "7 1795337041.000100 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 9 <0.000010>\n" +
			"7 1795337041.000200 connect(9, {sa_family=AF_INET, sin_port=htons(7777), sin_addr=inet_addr(\"10.0.0.1\")}, 16) = 0 <0.000010>\n" +
			"7 1795337041.000300 sendto(9, \"get x\\r\\n\", 7, 0, NULL, 0) = 7 <0.000010>\n7 1795337041.000400 recvfrom(9, \"END\\r\\n\", 100, 0, NULL, NULL) = 5 <0.050000>\n",
			ClassPeer, "memcached 10.0.0.1:7777", 5},
		{"unix socket", "7 1795337041.000100 socket(AF_UNIX, SOCK_STREAM, 0) = 9 <0.000010>\n" +
			"7 1795337041.000200 connect(9, {sa_family=AF_UNIX, sun_path=\"/run/mysqld/mysqld.sock\"}, 110) = 0 <0.000010>\n" +
			"7 1795337041.000300 read(9, \"J\\0\\0\\0\\n8.0.36\\0\", 100) = 78 <0.050000>\n", ClassPeer, "MySQL /run/mysqld/mysqld.sock", 4},
		{"DNS", "7 1795337041.000100 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 9 <0.000010>\n" +
			"7 1795337041.000200 connect(9, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr(\"10.0.0.1\")}, 16) = 0 <0.000010>\n" +
			"7 1795337041.000300 poll([{fd=9, events=POLLIN}], 1, 5000) = 1 ([{fd=9, revents=POLLIN}]) <0.050000>\n", ClassDNS, "DNS 10.0.0.1:53", 4},
		{"a fd that dup made", "7 1795337041.000100 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 9 <0.000010>\n" +
			"7 1795337041.000200 connect(9, {sa_family=AF_INET, sin_port=htons(6379), sin_addr=inet_addr(\"10.0.0.1\")}, 16) = 0 <0.000010>\n" +
			"7 1795337041.000250 dup(9) = 12 <0.000010>\n7 1795337041.000300 read(12, \"+OK\\r\\n\", 100) = 5 <0.050000>\n", ClassPeer, "Redis 10.0.0.1:6379", 5},
		{"a stop", "7 1795337041.000100 getpid() = 7 <0.000010>\n7 1795337041.000200 --- stopped by SIGSTOP ---\n7 1795337041.050300 --- SIGCONT {si_signo=SIGCONT} ---\n7 1795337041.050400 getpid() = 7 <0.000010>\n", ClassUnknown, "", 2},
		{"a wait that strace did not know", "7 1795337041.000100 restart_syscall(<... resuming interrupted read ...>) = 0 <0.050000>\n", ClassUnknown, "", 2},
		{"a gap", "7 1795337041.000100 getpid() = 7 <0.000010>\n7 1795337041.050100 getpid() = 7 <0.000010>\n", ClassUntraced, "", 2},
		{"a gap with a lost line", "7 1795337041.000100 getpid() = 7 <0.000010>\n-- snip --\n7 1795337041.050100 getpid() = 7 <0.000010>\n", ClassUnknown, "", 2},
		{"a gap with an empty line", "7 1795337041.000100 getpid() = 7 <0.000010>\n\n7 1795337041.050100 getpid() = 7 <0.000010>\n", ClassUntraced, "", 2},
		{"unfinished", "7 1795337041.000100 flock(9, LOCK_EX <unfinished ...>\n9 1795337041.000200 getpid() = 9 <0.000010>\n7 1795337041.050100 <... flock resumed>) = 0 <0.050000>\n", ClassLock, "", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := one(t, accept8+row.lines+"7 1795337041.060000 close(8) = 0 <0.000010>\n")
			require.Equal(t, row.class, q.Bottleneck.Class, "%s: %+v", q.Bottleneck.Text, q.Segments)
			if row.peer != "" {
				require.Equal(t, row.peer, q.Bottleneck.Peer.String())
			}
			require.Equal(t, row.from, q.Bottleneck.From)
			require.InDelta(t, 50, ms64(q.Bottleneck.Dur), 1)
			require.NotEmpty(t, q.Bottleneck.Text)
		})
	}
}

// TestRequests is part 6.
func TestRequests(t *testing.T) {
	t.Run("keep-alive", func(t *testing.T) {
		rep := analyze(t, []byte(accept8+`7 1795337041.000100 read(8, "GET /1 HTTP/1.1\r\n", 8192) = 17 <0.000010>
7 1795337041.010000 write(8, "HTTP/1.1 200 OK\r\n", 17) = 17 <0.000010>
7 1795337041.010100 poll([{fd=8, events=POLLIN}], 1, 5000) = 1 ([{fd=8, revents=POLLIN}]) <2.000000>
7 1795337043.010200 read(8, "GET /2 HTTP/1.1\r\n", 8192) = 17 <0.000010>
7 1795337043.050000 write(8, "HTTP/1.1 200 OK\r\n", 17) = 17 <0.000010>
7 1795337043.050100 poll([{fd=8, events=POLLIN}], 1, 5000) = 0 (Timeout) <5.000000>
7 1795337048.050200 close(8) = 0 <0.000010>
`))
		require.Len(t, rep.Requests, 2)
		require.Equal(t, 10*time.Millisecond, rep.Requests[0].Duration(), "up to its answer: the wait for the next one is not its own")
		require.Equal(t, int64(5), rep.Requests[1].First)
		require.Equal(t, 39810*time.Microsecond, rep.Requests[1].Answered.At-rep.Requests[1].Start.At)
		require.Greater(t, rep.Requests[1].Duration(), 5*time.Second, "until idle")
		require.Equal(t, ClassUntraced, rep.Requests[1].Bottleneck.Class, "judged up to the answer")
	})
	t.Run("prefork without close", func(t *testing.T) {
		rep := analyze(t, []byte("1795337041.000000 accept(3, NULL, NULL) = 8 <0.000010>\n1795337041.000100 recvfrom(8, \"GET / HTTP/1.1\\r\\n\", 8192, 0, NULL, NULL) = 17 <0.000010>\n"+
			"1795337041.100000 sendto(8, \"HTTP/1.1 200 OK\\r\\n\", 17, 0, NULL, 0) = 17 <0.000010>\n1795337041.200000 accept(3, NULL, NULL) = 8 <0.500000>\n1795337041.800000 shutdown(8, SHUT_RDWR) = 0 <0.000010>\n"))
		require.Len(t, rep.Requests, 2)
		require.Equal(t, 100*time.Millisecond, rep.Requests[0].Duration())
		require.Equal(t, 100010*time.Microsecond, rep.Requests[1].Duration(), "from the return of accept")
	})
	t.Run("event loop", func(t *testing.T) {
		rep := analyze(t, []byte(`1795337041.000000 epoll_wait(6, [{events=EPOLLIN, data={u32=3, u64=3}}], 512, -1) = 1 <0.500000>
1795337041.500100 accept4(3, NULL, NULL, SOCK_NONBLOCK) = 8 <0.000010>
1795337041.500200 accept4(3, NULL, NULL, SOCK_NONBLOCK) = 9 <0.000010>
1795337041.500300 read(8, "GET /a HTTP/1.1\r\n", 8192) = 17 <0.000010>
1795337041.500400 read(9, "GET /b HTTP/1.1\r\n", 8192) = 17 <0.000010>
1795337041.600000 write(9, "HTTP/1.1 200 OK\r\n", 17) = 17 <0.000010>
1795337041.700000 write(8, "HTTP/1.1 200 OK\r\n", 17) = 17 <0.000010>
1795337041.700100 close(9) = 0 <0.000010>
1795337041.700200 close(8) = 0 <0.000010>
`))
		require.Len(t, rep.Requests, 2)
		for _, q := range rep.Requests {
			require.True(t, q.Overlap)
			require.NotEqual(t, Certain, q.Bottleneck.Confidence)
		}
		shared := 0
		for _, s := range rep.Requests[0].Segments {
			if s.Class == ClassShared {
				shared++
			}
		}
		require.Positive(t, shared)
	})
	t.Run("attached in the middle", func(t *testing.T) {
		q := one(t, "7 1795337041.000100 read(8, \"GET /1 HTTP/1.1\\r\\n\", 8192) = 17 <0.000010>\n7 1795337041.090000 writev(8, [{iov_base=\"HTTP/1.1 200 OK\\r\\n\", iov_len=17}], 1) = 17 <0.000010>\n7 1795337041.090100 close(8) = 0 <0.000010>\n")
		require.Equal(t, ProtoHTTP, q.Proto)
		require.Equal(t, ClassUntraced, q.Bottleneck.Class)
	})
	t.Run("FastCGI", func(t *testing.T) {
		q := one(t, accept8+"7 1795337041.000100 read(8, \"\\1\\1\\0\\1\\0\\10\\0\\0\", 8) = 8 <0.000010>\n7 1795337041.090000 write(8, \"\\1\\6\\0\\1\\1\\0\\0\\0\", 8) = 8 <0.000010>\n7 1795337041.090100 close(8) = 0 <0.000010>\n")
		require.Equal(t, ProtoFastCGI, q.Proto)
	})
	t.Run("a child serves it", func(t *testing.T) {
		q := one(t, accept8+"7 1795337041.000100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 9 <0.000100>\n7 1795337041.000300 close(8) = 0 <0.000010>\n"+
			"9 1795337041.000400 read(8, \"GET / HTTP/1.1\\r\\n\", 8192) = 17 <0.000010>\n9 1795337041.080000 write(8, \"HTTP/1.1 200 OK\\r\\n\", 17) = 17 <0.000010>\n9 1795337041.080100 close(8) = 0 <0.000010>\n")
		require.Equal(t, ClassUntraced, q.Bottleneck.Class)
		require.Equal(t, 80110*time.Microsecond-10*time.Microsecond, q.Duration())
	})
	t.Run("a thread serves it", func(t *testing.T) {
		q := one(t, "7 1795337040.000000 clone(child_stack=0x1, flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, child_tidptr=0x7f) = 9 <0.000100>\n"+accept8+
			"9 1795337041.000400 read(8, \"GET / HTTP/1.1\\r\\n\", 8192) = 17 <0.000010>\n7 1795337041.000500 accept(3, NULL, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.100000>\n"+
			"9 1795337041.080000 write(8, \"HTTP/1.1 200 OK\\r\\n\", 17) = 17 <0.000010>\n9 1795337041.080100 close(8) = 0 <0.000010>\n")
		require.Equal(t, ClassUntraced, q.Bottleneck.Class)
	})
}

func TestWithClassifierNamesAProtocolOfTheHouse(t *testing.T) {
	c := ClassifierFunc(func(p Peer, first []byte) Proto {
		if p.Port == 4730 {
			return "gearman"
		}
		return ProtoUnknown
	})
	q := one(t, accept8+"7 1795337041.000100 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 9 <0.000010>\n"+
		"7 1795337041.000200 connect(9, {sa_family=AF_INET, sin_port=htons(4730), sin_addr=inet_addr(\"10.0.0.1\")}, 16) = 0 <0.000010>\n"+
		"7 1795337041.000300 read(9, \"\\0RES\", 100) = 4 <0.050000>\n7 1795337041.060000 close(8) = 0 <0.000010>\n", WithClassifier(c))
	require.Equal(t, "gearman 10.0.0.1:4730", q.Bottleneck.Peer.String())
}

func TestDataIsKeptOnlyWhenAsked(t *testing.T) {
	log := accept8 + "7 1795337041.000100 read(8, \"GET /x HTTP/1.1\\r\\n\", 8192) = 17 <0.000010>\n7 1795337041.000200 close(8) = 0 <0.000010>\n"
	for _, s := range one(t, log).Segments {
		require.Empty(t, s.Data)
	}
	found := false
	for _, s := range one(t, log, Data()).Segments {
		found = found || strings.HasPrefix(s.Data, "GET /x")
	}
	require.True(t, found)
}

func TestReaderAllocatesNothing(t *testing.T) {
	line := "25612 1795337041.234369 read(3, \"abc\\\"d\"..., 8192) = 8192 <0.000012>\n25613 1795337041.234370 futex(0x7f, FUTEX_WAIT, 2, NULL <unfinished ...>\n" +
		"25612 1795337041.234380 openat(AT_FDCWD, \"/x\", O_RDONLY) = -1 ENOENT (No such file or directory) <0.000012>\n25613 1795337041.234390 <... futex resumed>) = 0 <0.000020>\n"
	log := []byte(strings.Repeat(line, 1000))
	var j Joiner
	allocs := testing.AllocsPerRun(5, func() {
		r := NewBytesReader(log)
		n := 0
		for {
			e, err := r.Next()
			if err != nil {
				break
			}
			if c := j.Add(e); c != nil {
				n++
			}
		}
		require.Equal(t, 3000, n)
	})
	require.Less(t, allocs, 10.0, "for 4000 lines: what the reader itself takes")
}
