// A textbook echo in Go: a goroutine for each client, or one for all datagrams. echo tcp|udp PORT.
package main

import (
	"io"
	"log"
	"net"
	"os"
)

func echo(client net.Conn) {
	defer client.Close()
	io.Copy(client, client)
}

func streams(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Print(err)
			continue
		}
		go echo(client)
	}
}

func datagrams(address string) {
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 65536)
	for {
		size, peer, err := socket.ReadFrom(buffer)
		if err != nil {
			log.Print(err)
			continue
		}
		socket.WriteTo(buffer[:size], peer)
	}
}

func main() {
	address := net.JoinHostPort("127.0.0.1", os.Args[2])
	if os.Args[1] == "udp" {
		datagrams(address)
	} else {
		streams(address)
	}
}
