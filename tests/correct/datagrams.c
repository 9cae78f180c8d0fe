/* Echo of datagrams: ./datagrams PORT */
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int count, char **words)
{
    static char data[65536];
    struct sockaddr_in address = {.sin_family = AF_INET};
    int sock = socket(AF_INET, SOCK_DGRAM, 0), room = 1 << 20;

    if (count != 2)
        errx(2, "usage: datagrams PORT");
    address.sin_port = htons(atoi(words[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(sock, (struct sockaddr *)&address, sizeof address))
        err(1, "bind");
    for (;;) {
        struct sockaddr_in asker;
        socklen_t length = sizeof asker;
        ssize_t size = recvfrom(sock, data, sizeof data, 0, (struct sockaddr *)&asker, &length);

        /* A reply would come from a port like these: two servers shall not talk for ever. */
        if (size < 0 || ntohs(asker.sin_port) < 1024 || asker.sin_port == address.sin_port)
            continue;
        sendto(sock, data, size, 0, (struct sockaddr *)&asker, length);
    }
}
