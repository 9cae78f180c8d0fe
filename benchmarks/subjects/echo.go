// A small Go echo: echo tcp|udp. Plain Read and Write; io.Copy would splice inside the kernel.
package main

import (
	"fmt"
	"net"
	"os"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 65536)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err = connection.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func streams() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	fmt.Println("tcp", listener.Addr())
	for {
		connection, err := listener.Accept()
		must(err)
		go echo(connection)
	}
}

func datagrams() {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(err)
	fmt.Println("udp", socket.LocalAddr())
	buffer := make([]byte, 65536)
	for {
		n, peer, err := socket.ReadFromUDPAddrPort(buffer)
		must(err)
		_, err = socket.WriteToUDPAddrPort(buffer[:n], peer)
		must(err)
	}
}

func main() {
	if os.Args[1] == "udp" {
		datagrams()
	} else {
		streams()
	}
}
