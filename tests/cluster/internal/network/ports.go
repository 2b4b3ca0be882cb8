package network

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are taken below the kernel's ephemeral ports, where an outgoing connection could sit on a recorded port when its
// component is restarted, and below the node ports.
const firstPort, portCount = 20000, 10000

// FreePorts returns a free TCP and UDP port for each name, no two the same.
func FreePorts(names []string) (map[string]int, error) {
	return pickPorts(names, func() int { return firstPort + rand.IntN(portCount) }, isFree)
}

func pickPorts(names []string, next func() int, free func(int) bool) (map[string]int, error) {
	const triesPerPort = 1000
	ports := make(map[string]int, len(names))
	taken := make(map[int]bool, len(names))
	for _, name := range names {
		for try := 0; ports[name] == 0; try++ {
			if try == triesPerPort {
				return nil, fmt.Errorf("no free port for %s between %d and %d after %d tries: stop some servers of this machine", name, firstPort, firstPort+portCount-1, try)
			}
			if port := next(); !taken[port] && free(port) {
				ports[name], taken[port] = port, true
			}
		}
	}
	return ports, nil
}

// isFree says whether the port can be bound on every address, for TCP and UDP.
func isFree(port int) bool {
	address := fmt.Sprintf(":%d", port)
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	defer udp.Close()
	return true
}
