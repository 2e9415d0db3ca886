/* A program that makes many kinds of system calls, with names and data chosen to look like strace's own punctuation. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void on_signal(int s) { (void)s; }

static void odd_file(const char *name) {
	int fd = open(name, O_RDWR | O_CREAT, 0644);
	if (fd < 0) return;
	write(fd, "x) = 0 <unfinished ...>\n", 24);
	struct iovec v[2] = {{"ret) = 1 <0.000001>", 19}, {"/* \" */", 7}};
	writev(fd, v, 2);
	struct stat st;
	fstat(fd, &st);
	fsync(fd);
	unlink(name);
	write(fd, "\0001\09\1", 5);
	close(fd);
}

static void *thread(void *p) {
	(void)p;
	struct timespec t = {0, 2000000};
	nanosleep(&t, NULL);
	prctl(PR_SET_NAME, "a<b>\"(1)");
	getppid();
	nanosleep(&t, NULL);
	return NULL;
}

static void *execs(void *p) {
	execl("/bin/true", "true", "from a thread", (char *)p);
	return NULL;
}

static void data(void) {
	unsigned char b[256];
	for (int i = 0; i < 256; i++) b[i] = i;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	write(fd, b, 256);
	for (int n = 30; n < 36; n++) write(fd, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", n);
	write(fd, "\\\", ...\"\\", 9);
	write(fd, "\"...", 4);
	write(fd, "\\\"..., ", 7);
	write(fd, "<... read resumed>", 18);
	write(fd, (void *)1, 5);
	write(fd, "", 0);
	ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xbe, 0xef, 0x1ead), 5);
	ioctl(0, TIOCGWINSZ, b);
	dup2(fd, 77);
	fcntl(77, F_SETFD, FD_CLOEXEC);
	fcntl(77, F_GETFL);
	close(77);
	close(fd);
}

static void sockets(void) {
	int l = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	bind(l, (struct sockaddr *)&a, n);
	listen(l, 5);
	getsockname(l, (struct sockaddr *)&a, &n);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	connect(c, (struct sockaddr *)&a, n);
	int s = accept4(l, (struct sockaddr *)&a, &n, SOCK_CLOEXEC);
	send(c, "GET / HTTP/1.0\r\n\r\n", 18, 0);
	char buf[64];
	struct pollfd p[2] = {{s, POLLIN, 0}, {l, POLLIN, 0}};
	poll(p, 2, 1000);
	recv(s, buf, sizeof buf, MSG_DONTWAIT);
	recv(s, buf, sizeof buf, MSG_DONTWAIT);
	send(s, "HTTP/1.0 200 OK\r\n\r\n", 19, MSG_NOSIGNAL);
	shutdown(s, SHUT_RDWR);
	close(s);
	close(c);
	close(l);
	int u6 = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	inet_pton(AF_INET6, "::1", &a6.sin6_addr);
	sendto(u6, "x", 1, 0, (struct sockaddr *)&a6, sizeof a6);
	close(u6);
	int u[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, u);
	struct iovec iv = {"control", 7};
	char cb[CMSG_SPACE(sizeof(int))];
	memset(cb, 0, sizeof cb);
	struct msghdr m = {.msg_iov = &iv, .msg_iovlen = 1, .msg_control = cb, .msg_controllen = sizeof cb};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET; h->cmsg_type = SCM_RIGHTS; h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &u[0], sizeof(int));
	sendmsg(u[0], &m, 0);
	recvmsg(u[1], &m, 0);
	close(u[0]); close(u[1]);
	int x = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	memcpy(un.sun_path, "\0abstract>\"x", 12);
	bind(x, (struct sockaddr *)&un, 2 + 12);
	listen(x, 1);
	int y = socket(AF_UNIX, SOCK_STREAM, 0);
	connect(y, (struct sockaddr *)&un, 2 + 12);
	write(y, "z", 1);
	close(x); close(y);
	socket(12345, 1, 2);
}

static void waits(void) {
	struct timespec t = {0, 3000000};
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	poll(NULL, 0, 2);
	struct timeval tv = {0, 1000};
	fd_set r;
	FD_ZERO(&r); FD_SET(0, &r);
	select(0, NULL, NULL, NULL, &tv);
	int e = epoll_create1(EPOLL_CLOEXEC), ev = eventfd(1, 0);
	struct epoll_event x = {.events = EPOLLIN, .data.fd = ev};
	epoll_ctl(e, EPOLL_CTL_ADD, ev, &x);
	epoll_wait(e, &x, 1, 5);
	close(e); close(ev);
	signal(SIGALRM, on_signal);
	struct itimerval it = {.it_interval = {0, 500000}, .it_value = {0, 3000}};
	setitimer(ITIMER_REAL, &it, NULL);
	pause();
	it = (struct itimerval){0};
	setitimer(ITIMER_REAL, &it, NULL);
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &sa, NULL);
	kill(getpid(), SIGUSR1);
	sigset_t set;
	sigfillset(&set); sigprocmask(SIG_BLOCK, &set, NULL); sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int main(int argc, char **argv) {
	if (argc > 1 && !strcmp(argv[1], "exec-thread")) {
		pthread_t t;
		pthread_create(&t, NULL, execs, NULL);
		pause();
	}
	umask(022); umask(022);
	odd_file("x) = 0"); odd_file("ret) = 1 <0.000001>"); odd_file("(deleted)"); odd_file("<unfinished ...>");
	odd_file("d)  = -1 ENOENT (No such"); odd_file("caf\303\251\t\"q\"<\\>"); odd_file("0.000001>");
	data();
	sockets();
	waits();
	mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(NULL, 4096, 0x1000, 0xffffff, 99, 7);
	open("/does/not/exist", O_RDONLY);
	openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY);
	syscall(999, 1, 2, 3, 4, 5, 6);
	syscall(SYS_readlink, 5, 6, 7);
	getrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0});
	int p[2];
	pipe2(p, O_CLOEXEC);
	pid_t c = fork();
	if (c == 0) { write(p[1], "child", 5); usleep(1000); _exit(3); }
	char b[16];
	read(p[0], b, sizeof b);
	int st;
	waitpid(c, &st, 0);
	c = vfork();
	if (c == 0) { execl("/bin/true", "true", "a) = 1", (char *)0); _exit(1); }
	wait4(c, &st, 0, NULL);
	c = fork();
	if (c == 0) { raise(SIGKILL); _exit(0); }
	waitpid(c, &st, 0);
	c = fork();
	if (c == 0) { kill(getpid(), SIGSTOP); _exit(0); }
	usleep(2000);
	waitpid(c, &st, WUNTRACED);
	kill(c, SIGCONT);
	waitpid(c, &st, 0);
	pthread_t t[3];
	for (int i = 0; i < 3; i++) pthread_create(&t[i], NULL, thread, NULL);
	for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
	return 7;
}
