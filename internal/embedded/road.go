// Package embedded runs a whole hive in one process: the road in memory, a nexus
// and a spore.
package embedded

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/hive-spore/hive/broker"
)

// Road is a road in the memory of this process: it speaks Redis on loopback and
// keeps nothing on disk.
type Road struct {
	server   *miniredis.Miniredis
	password string
	stop     chan struct{}
	clock    sync.WaitGroup
}

// StartRoad opens an empty road at addr, or at a free port if that is empty or in
// use. A private one has a random password that only Options tells.
func StartRoad(addr string, private bool) (*Road, error) {
	server := miniredis.NewMiniRedis()
	road := &Road{server: server, stop: make(chan struct{})}
	if private {
		road.password = rand.Text()
		server.RequireAuth(road.password)
	}
	if addr == "" || server.StartAddr(addr) != nil {
		if err := server.Start(); err != nil {
			return nil, fmt.Errorf("start embedded road: %w", err)
		}
	}
	road.clock.Go(road.tick)
	return road, nil
}

// tick lets keys expire by the clock, as on a real server. miniredis would do that
// by itself (ClockTTL), but looks at every key before each command.
func (r *Road) tick() {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			r.server.FastForward(time.Second)
		case <-r.stop:
			return
		}
	}
}

// Options say how to dial the road.
func (r *Road) Options() broker.Options {
	return broker.Options{Addrs: []string{r.server.Addr()}, Password: r.password}
}

// Close ends the road and forgets everything on it.
func (r *Road) Close() {
	close(r.stop)
	r.clock.Wait()
	r.server.Close()
}
