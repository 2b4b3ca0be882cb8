package network

import (
	"net"
	"testing"
)

func TestPortsAreDistinctAndFree(t *testing.T) {
	offers := []int{20001, 20001, 20002, 20003}
	next := func() int {
		port := offers[0]
		offers = offers[1:]
		return port
	}
	ports, err := pickPorts([]string{"first", "second"}, next, func(port int) bool { return port != 20002 })
	if err != nil {
		t.Fatal(err)
	}
	if ports["first"] != 20001 || ports["second"] != 20003 {
		t.Errorf("ports %v, want the second not to repeat 20001 and not to take 20002", ports)
	}
}

func TestPickingPortsEndsWhenNoneIsFree(t *testing.T) {
	_, err := pickPorts([]string{"only"}, func() int { return 20001 }, func(int) bool { return false })
	if err == nil {
		t.Error("picked a port that is not free")
	}
}

func TestAPortSomebodyListensOnIsNotFree(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if port := listener.Addr().(*net.TCPAddr).Port; isFree(port) {
		t.Errorf("port %d counts as free while it is listened on", port)
	}
}
