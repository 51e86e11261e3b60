// Package embedded runs a whole hive in one process: the road in memory, a nexus
// and a spore.
package embedded

import (
	"crypto/rand"
	"fmt"

	"github.com/alicebob/miniredis/v2"

	"github.com/hive-spore/hive/broker"
)

// Road is a road in the memory of this process: it speaks Redis on loopback and
// keeps nothing on disk.
type Road struct {
	server   *miniredis.Miniredis
	password string
}

// StartRoad opens an empty road at addr, or at a free port if that is empty or in
// use. A private one has a random password that only Options tells.
func StartRoad(addr string, private bool) (*Road, error) {
	server := miniredis.NewMiniRedis()
	road := &Road{server: server}
	if private {
		road.password = rand.Text()
		server.RequireAuth(road.password)
	}
	server.ClockTTL(true) // keys expire by the clock, as on a real server
	if addr != "" && server.StartAddr(addr) == nil {
		return road, nil
	}
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start embedded road: %w", err)
	}
	return road, nil
}

// Options say how to dial the road.
func (r *Road) Options() broker.Options {
	return broker.Options{Addrs: []string{r.server.Addr()}, Password: r.password}
}

// Close ends the road and forgets everything on it.
func (r *Road) Close() { r.server.Close() }
