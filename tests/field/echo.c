/* A textbook echo in C: a process for each client. echo PORT. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(int client) {
    char buffer[4096];
    ssize_t got, sent, at;
    while ((got = read(client, buffer, sizeof buffer)) > 0)
        for (at = 0; at < got; at += sent)
            if ((sent = write(client, buffer + at, got - at)) < 0)
                return;
}

int main(int count, char **arguments) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(count > 1 ? atoi(arguments[1]) : 7),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, SOMAXCONN)) {
        perror("echo");
        return 1;
    }
    signal(SIGCHLD, SIG_IGN); /* children are not waited for */
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (fork() == 0) {
            close(listener);
            echo(client);
            _exit(0);
        }
        close(client);
    }
}
