// Sends back each line, a goroutine for each client: lines PORT IDLE
package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"time"
)

const longest = 16384

func serve(client *net.TCPConn, idle time.Duration) {
	defer client.Close()
	lines := bufio.NewReaderSize(client, longest)
	for {
		// For a whole line: single bytes do not count.
		client.SetDeadline(time.Now().Add(idle))
		line, err := lines.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			io.WriteString(client, "line too long\n")
			// FIN first, and read on a while: RST would take away what was said.
			client.CloseWrite()
			client.SetDeadline(time.Now().Add(2 * time.Second))
			io.CopyN(io.Discard, client, 1<<20)
			return
		}
		if len(line) > 0 {
			if _, wrong := client.Write(line); wrong != nil {
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
	address, err := net.ResolveTCPAddr("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		panic(err)
	}
	for {
		client, err := listener.AcceptTCP()
		if err == nil {
			go serve(client, idle)
		}
	}
}
