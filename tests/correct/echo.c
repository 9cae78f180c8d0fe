/* Echo with a thread for each client: ./echo PORT IDLE_SECONDS */
#include <err.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct timeval idle;

static void *serve(void *argument)
{
    int client = (int)(intptr_t)argument;
    char data[65536];
    ssize_t size;

    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof idle);
    while ((size = recv(client, data, sizeof data, 0)) > 0) {
        for (ssize_t at = 0; at < size;) {
            /* MSG_NOSIGNAL: a client that is gone shall not end us by SIGPIPE. */
            ssize_t sent = send(client, data + at, size - at, MSG_NOSIGNAL);
            if (sent <= 0)
                goto gone;
            at += sent;
        }
    }
gone:
    close(client);
    return NULL;
}

int main(int count, char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    pthread_attr_t detached;

    if (count != 3)
        errx(2, "usage: echo PORT IDLE_SECONDS");
    address.sin_port = htons(atoi(words[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    idle.tv_sec = atoi(words[2]);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        err(1, "bind");
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 262144);
    for (;;) {
        pthread_t thread;
        int client = accept(listener, NULL, NULL);

        if (client < 0)
            continue;
        if (pthread_create(&thread, &detached, serve, (void *)(intptr_t)client))
            close(client);
    }
}
