/* A server and, in a process of its own, its client. Ends with 3. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    bind(listener, (struct sockaddr *)&address, size);
    listen(listener, 5);
    getsockname(listener, (struct sockaddr *)&address, &size);
    if (fork() == 0) {
        char got[100];
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        connect(fd, (struct sockaddr *)&address, size);
        send(fd, "hello\n", 6, 0);
        ssize_t count = read(fd, got, sizeof got);
        write(1, got, count);
        close(fd);
        _exit(0);
    }
    char data[1024];
    int fd = accept(listener, NULL, NULL);
    ssize_t count;
    while ((count = recv(fd, data, sizeof data, 0)) > 0)
        send(fd, data, count, 0);
    close(fd);
    close(listener);
    wait(NULL);
    return 3;
}
