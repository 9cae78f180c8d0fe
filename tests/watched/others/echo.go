// A server and its client, in Go.
package main

import (
	"fmt"
	"io"
	"net"
)

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	done := make(chan bool)
	go func() {
		server, _ := listener.Accept()
		io.Copy(server, server)
		server.Close()
		done <- true
	}()
	client, _ := net.Dial("tcp", listener.Addr().String())
	client.Write([]byte("hello\n"))
	client.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(client)
	fmt.Print(string(answer))
	client.Close()
	<-done
	listener.Close()
}
