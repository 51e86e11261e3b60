package rig

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive/internal/testkit"
)

// Redis is a redis-server on a private unix socket, and what it says of itself.
type Redis struct {
	server *testkit.Redis
	rdb    *redis.Client
}

// StartRedis starts a redis-server that keeps nothing on disk.
func StartRedis() (*Redis, error) {
	server, err := testkit.StartRedis()
	if err != nil {
		return nil, err
	}
	return &Redis{server, redis.NewClient(&redis.Options{Addr: server.Addr, Network: "unix", DisableIdentity: true})}, nil
}

// RedisVersion is that of the redis-server that would be started.
func RedisVersion(ctx context.Context) (string, error) {
	r, err := StartRedis()
	if err != nil {
		return "", err
	}
	defer r.stop()
	v, err := r.info(ctx, "server", "redis_version")
	if err != nil {
		return "", err
	}
	return v[0], nil
}

// Addr is the path of the socket.
func (r *Redis) Addr() string { return r.server.Addr }

func (r *Redis) stop() {
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
