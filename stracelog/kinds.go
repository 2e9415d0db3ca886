package stracelog

// callKind groups the system calls that mean the same for a request.
type callKind uint8

const (
	kOther    callKind = iota
	kAccept            // a connection arrives
	kSocket            // a new socket
	kConnect           // towards a peer
	kListen            // the descriptor is a listening one
	kClose             //
	kDup               //
	kFcntl             // F_DUPFD, F_SETFD, locks
	kOpen              // a path becomes a descriptor
	kPipe              // a pair of descriptors
	kNewFD             // epoll_create, eventfd, ...: a descriptor that is no file
	kRead              // from a descriptor, payload in the second argument
	kWrite             // to a descriptor, payload in the second argument
	kReadMsg           // payload in iov_base
	kWriteMsg          //
	kSendfile          // out, in
	kShutdown          //
	kSockopt           // of a socket
	kPoll              // waits for a set of descriptors
	kSelect            //
	kEpoll             //
	kSleep             // time alone
	kLock              // another thread or process holds something
	kFutex             // a lock when it waits
	kChild             // a child's end
	kClone             // a new process or thread
	kExec              //
	kPath              // a file by its path
	kFDFile            // a file by its descriptor
	kRestart           // goes on with an interrupted wait
)

var callKinds = func() map[string]callKind {
	m := map[string]callKind{}
	for k, names := range map[callKind][]string{
		kAccept:   {"accept", "accept4"},
		kSocket:   {"socket", "socketpair"},
		kConnect:  {"connect"},
		kListen:   {"listen"},
		kClose:    {"close"},
		kDup:      {"dup", "dup2", "dup3"},
		kFcntl:    {"fcntl", "fcntl64"},
		kOpen:     {"open", "openat", "openat2", "creat"},
		kPipe:     {"pipe", "pipe2"},
		kNewFD:    {"epoll_create", "epoll_create1", "eventfd", "eventfd2", "timerfd_create", "inotify_init", "inotify_init1", "signalfd", "signalfd4", "memfd_create"},
		kRead:     {"read", "recv", "recvfrom", "pread64", "pread"},
		kWrite:    {"write", "send", "sendto", "pwrite64", "pwrite"},
		kReadMsg:  {"readv", "preadv", "preadv2", "recvmsg", "recvmmsg", "recvmmsg_time64"},
		kWriteMsg: {"writev", "pwritev", "pwritev2", "sendmsg", "sendmmsg"},
		kSendfile: {"sendfile", "sendfile64", "splice", "copy_file_range"},
		kShutdown: {"shutdown"},
		kSockopt:  {"getsockopt", "setsockopt", "getsockname", "getpeername", "bind", "ioctl"},
		kPoll:     {"poll", "ppoll", "ppoll_time64"},
		kSelect:   {"select", "pselect6", "_newselect", "pselect6_time64"},
		kEpoll:    {"epoll_wait", "epoll_pwait", "epoll_pwait2"},
		kSleep:    {"nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "pause", "rt_sigtimedwait", "rt_sigsuspend", "sigsuspend", "rt_sigtimedwait_time64"},
		kLock:     {"flock", "semop", "semtimedop", "msgrcv", "mq_timedreceive"},
		kFutex:    {"futex", "futex_time64", "futex_wait", "futex_waitv"},
		kChild:    {"wait4", "waitid", "waitpid"},
		kClone:    {"clone", "clone3", "fork", "vfork", "clone2"},
		kExec:     {"execve", "execveat"},
		kPath: {"stat", "lstat", "stat64", "lstat64", "newfstatat", "fstatat64", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "unlink",
			"unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "chmod", "fchmodat", "chown", "lchown", "fchownat", "link", "linkat", "symlink",
			"symlinkat", "utimensat", "utime", "utimes", "statfs", "statfs64", "truncate", "getcwd", "chdir", "getxattr", "lgetxattr", "sync", "mount", "umount2"},
		kFDFile: {"fsync", "fdatasync", "fstat", "fstat64", "lseek", "_llseek", "ftruncate", "fallocate", "getdents", "getdents64", "sync_file_range", "syncfs",
			"fadvise64", "posix_fadvise", "readahead", "fchmod", "fchown", "fstatfs", "fchdir", "flistxattr", "fgetxattr", "msync"},
		kRestart: {"restart_syscall"},
	} {
		for _, n := range names {
			m[n] = k
		}
	}
	return m
}()
