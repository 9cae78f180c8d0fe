/* A small C echo: echo tcp|udp. Level-triggered epoll, one thread; what the kernel does not take of an
   answer is kept, and nothing more is read until it has gone. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection { int fd; char *unsent; size_t length; };

static char buffer[65536];
static int epoll;

static void watch(struct connection *c, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll, operation, c->fd, &event);
}

static void end(struct connection *c) { close(c->fd); free(c->unsent); free(c); }

static void keep(struct connection *c, const char *rest, size_t length) {
    c->unsent = malloc(length);
    c->length = length;
    memcpy(c->unsent, rest, length);
    watch(c, EPOLL_CTL_MOD, EPOLLOUT);
}

static void readable(struct connection *c) {
    ssize_t n = read(c->fd, buffer, sizeof buffer);
    if (n <= 0) { if (n == 0 || errno != EAGAIN) end(c); return; }
    ssize_t sent = send(c->fd, buffer, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) { end(c); return; }
    if (sent < 0) sent = 0;
    if (sent < n) keep(c, buffer + sent, n - sent);
}

static void writable(struct connection *c) {
    ssize_t sent = send(c->fd, c->unsent, c->length, MSG_NOSIGNAL);
    if (sent < 0) { if (errno != EAGAIN) end(c); return; }
    c->length -= sent;
    memmove(c->unsent, c->unsent + sent, c->length);
    if (c->length) return;
    free(c->unsent);
    c->unsent = NULL;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void answer_all(int fd) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    ssize_t n;
    while ((n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &size)) >= 0)
        sendto(fd, buffer, n, 0, (struct sockaddr *)&peer, size);
}

int main(int argc, char **argv) {
    int udp = argc > 1 && !strcmp(argv[1], "udp");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct connection listener = {.fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0)};
    epoll = epoll_create1(0);
    if (bind(listener.fd, (struct sockaddr *)&address, size) || (!udp && listen(listener.fd, 4096))) {
        perror("echo");
        return 1;
    }
    getsockname(listener.fd, (struct sockaddr *)&address, &size);
    printf("%s 127.0.0.1:%d\n", udp ? "udp" : "tcp", ntohs(address.sin_port));
    fflush(stdout);
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == &listener && udp) answer_all(c->fd);
            else if (c == &listener) accept_all(c->fd);
            else if (events[i].events & EPOLLOUT) writable(c);
            else readable(c);
        }
    }
}
