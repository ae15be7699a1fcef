package testnet

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync"
)

// A Relay is a network in front of a UDP server of this machine, and a NAT:
// clients send to the relay's address, and the server sees another port of the
// relay for each of them. It begins without faults.
type Relay struct {
	network

	server netip.AddrPort
	front  *net.UDPConn
	tasks  sync.WaitGroup

	flows  map[netip.AddrPort]*flow // by the client; guarded by mu, like closed
	closed bool
}

// A flow is what one client and the server have to say to each other.
type flow struct {
	client             netip.AddrPort
	up, down           path
	toServer, toClient queue
	back               *net.UDPConn // what the server sees; guarded by mu
}

// NewRelay opens a relay in front of a server, on a port of 127.0.0.1.
func NewRelay(server netip.AddrPort) (*Relay, error) {
	front, err := net.ListenUDP("udp4", address(0))
	if err != nil {
		return nil, err
	}
	server = netip.AddrPortFrom(server.Addr().Unmap(), server.Port()) // to compare with
	r := &Relay{server: server, front: front, flows: map[netip.AddrPort]*flow{}}
	r.tasks.Go(func() { receive(front, r.fromClient) }) // until Close, which waits
	return r, nil
}

// Addr is where clients send to.
func (r *Relay) Addr() netip.AddrPort { return r.front.LocalAddr().(*net.UDPAddr).AddrPort() }

// Rebind has the server see all clients at new ports from now on, and loses
// what is sent to those before, like a NAT that was started again.
func (r *Relay) Rebind() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, f := range r.flows {
		before := f.back
		errs = append(errs, r.bind(f), before.Close())
	}
	return errors.Join(errs...)
}

// Close closes the relay, and loses what is on its way.
func (r *Relay) Close() error {
	r.mu.Lock()
	r.closed = true
	errs := []error{r.front.Close()}
	for _, f := range r.flows {
		f.toServer.close()
		f.toClient.close()
		errs = append(errs, f.back.Close())
	}
	r.mu.Unlock()
	r.tasks.Wait()
	return errors.Join(errs...)
}

func (r *Relay) fromClient(data []byte, client netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := r.flow(client)
	if err == nil { // else lost, as by a NAT without a port to spare
		r.send(&f.up, packet{data: data}, &f.toServer)
	}
}

func (r *Relay) fromServer(f *flow, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(&f.down, packet{data: data}, &f.toClient)
}

// flow returns the flow of a client. The caller has the lock, as of bind.
func (r *Relay) flow(client netip.AddrPort) (*flow, error) {
	if f := r.flows[client]; f != nil {
		return f, nil
	}
	n := uint64(len(r.flows))
	f := &flow{client: client, up: path{direction: 2 * n}, down: path{direction: 2*n + 1}}
	if err := r.bind(f); err != nil {
		return nil, err
	}
	r.flows[client] = f
	r.tasks.Go(func() {
		f.toServer.each(func(data []byte) {
			r.mu.Lock()
			defer r.mu.Unlock()
			_, _ = f.back.WriteToUDPAddrPort(data, r.server) // lost if it fails
		})
	})
	r.tasks.Go(func() {
		f.toClient.each(func(data []byte) { _, _ = r.front.WriteToUDPAddrPort(data, f.client) })
	})
	return f, nil
}

// bind gives f a port, from which packets come until it is closed.
func (r *Relay) bind(f *flow) error {
	if r.closed {
		return net.ErrClosed
	}
	back, err := net.ListenUDP("udp4", address(0))
	if err != nil {
		return err
	}
	f.back = back
	r.tasks.Go(func() {
		receive(back, func(data []byte, from netip.AddrPort) {
			if from == r.server {
				r.fromServer(f, data)
			}
		})
	})
	return nil
}

// receive calls f for each packet, until conn is closed.
func receive(conn *net.UDPConn, f func(data []byte, from netip.AddrPort)) {
	p := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(p)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // others are of a packet sent before that nobody took
			f(bytes.Clone(p[:n]), from)
		}
	}
}
