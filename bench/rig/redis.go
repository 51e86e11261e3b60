package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive/internal/testkit"
)

// Redis is a redis-server on a private unix socket, and what it says of itself.
type Redis struct {
	server *testkit.Redis
	addr   string // where others are to reach it
	rdb    *redis.Client
}

// StartRedis starts a redis-server that keeps nothing on disk, unless args, which are
// added to its command line, say otherwise. With --port it is to be reached there.
func StartRedis(args ...string) (*Redis, error) {
	server, err := testkit.StartRedis(args...)
	if err != nil {
		return nil, err
	}
	addr := server.Addr
	if i := slices.Index(args, "--port"); i >= 0 {
		addr = net.JoinHostPort("127.0.0.1", args[i+1])
	}
	return &Redis{server, addr, redis.NewClient(&redis.Options{Addr: server.Addr, Network: "unix", DisableIdentity: true})}, nil
}

// RedisVersion is that of the redis-server that would be started.
func RedisVersion(ctx context.Context) (string, error) {
	r, err := StartRedis()
	if err != nil {
		return "", err
	}
	defer r.Stop()
	v, err := r.info(ctx, "server", "redis_version")
	if err != nil {
		return "", err
	}
	return v[0], nil
}

// Addr is the path of the socket, or host:port.
func (r *Redis) Addr() string { return r.addr }

// OnLoopback are arguments for a server that is to be reached by TCP.
func OnLoopback() ([]string, error) {
	at, err := freeAddress()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(at)
	return []string{"--bind", host, "--port", port}, err
}

// Stop ends the server and removes what it kept.
func (r *Redis) Stop() {
	_ = r.rdb.Close()
	r.server.Stop()
}

// info returns fields of INFO.
func (r *Redis) info(ctx context.Context, section string, fields ...string) ([]string, error) {
	text, err := r.rdb.Info(ctx, section).Result()
	if err != nil {
		return nil, fmt.Errorf("redis INFO %s: %w", section, err)
	}
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		values[name] = value
	}
	found := make([]string, len(fields))
	for i, f := range fields {
		if found[i] = values[f]; found[i] == "" {
			return nil, fmt.Errorf("redis INFO %s: no field %s", section, f)
		}
	}
	return found, nil
}

// CPU is the processor time the server has taken so far.
func (r *Redis) CPU(ctx context.Context) (time.Duration, error) {
	n, err := r.numbers(ctx, "cpu", "used_cpu_user", "used_cpu_sys")
	return seconds(n[0] + n[1]), err
}

// Requests counts what the server has read from its clients so far: requests, of
// which those that travel together in a pipeline count as one.
func (r *Redis) Requests(ctx context.Context) (float64, error) {
	n, err := r.numbers(ctx, "stats", "total_reads_processed")
	return n[0], err
}

// Commands counts what the server has carried out so far, and what it has read from
// its clients: Requests. What a script calls counts as a command, too.
func (r *Redis) Commands(ctx context.Context) (commands, requests float64, err error) {
	n, err := r.numbers(ctx, "stats", "total_commands_processed", "total_reads_processed")
	return n[0], n[1], err
}

// Completed is how many tasks of a hive have completed, by one command.
// docs/redis-keys.md names the key.
func (r *Redis) Completed(ctx context.Context) (int, error) {
	n, err := r.rdb.HGet(ctx, "{h}:ct", "completed").Int()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return n, err
}

// Memory is the bytes the server uses, without the buffers of its clients.
func (r *Redis) Memory(ctx context.Context) (float64, error) {
	n, err := r.numbers(ctx, "memory", "used_memory", "mem_clients_normal")
	return n[0] - n[1], err
}

// RecordSize is the bytes of one task's record with its key. docs/redis-keys.md
// names the key.
func (r *Redis) RecordSize(ctx context.Context, id string) (int64, error) {
	n, err := r.rdb.MemoryUsage(ctx, "{h}:t:"+id).Result()
	if err != nil {
		return 0, fmt.Errorf("redis MEMORY USAGE: %w", err)
	}
	return n, nil
}

// numbers reads numbers of INFO, at most two.
func (r *Redis) numbers(ctx context.Context, section string, fields ...string) (n [2]float64, err error) {
	values, err := r.info(ctx, section, fields...)
	if err != nil {
		return n, err
	}
	for i, v := range values {
		if n[i], err = strconv.ParseFloat(v, 64); err != nil {
			return n, fmt.Errorf("redis INFO %s: %w", section, err)
		}
	}
	return n, nil
}
