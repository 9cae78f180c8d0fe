// Echo with a goroutine for each client: echo PORT IDLE
package main

import (
	"net"
	"os"
	"time"
)

func serve(client net.Conn, idle time.Duration) {
	defer client.Close()
	data := make([]byte, 65536)
	for {
		client.SetDeadline(time.Now().Add(idle))
		size, err := client.Read(data)
		if size > 0 {
			if _, wrong := client.Write(data[:size]); wrong != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func main() {
	idle, err := time.ParseDuration(os.Args[2])
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		client, err := listener.Accept()
		if err == nil {
			go serve(client, idle)
		}
	}
}
