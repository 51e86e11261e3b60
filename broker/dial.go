package broker

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// poolSize is generous: a connection that waits on a doorbell is held.
const poolSize = 512

const dialTimeout = 2 * time.Second

// universal are the options as the Redis client takes them.
func (o Options) universal() *redis.UniversalOptions {
	u := &redis.UniversalOptions{
		Addrs: o.Addrs, MasterName: o.Master, DB: o.DB,
		Username: o.Username, Password: o.Password, TLSConfig: o.TLS,
		SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
		DialTimeout: dialTimeout, DialerRetries: 1, PoolSize: poolSize,
		ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if o.TLS != nil {
		u.Dialer = o.dialTLS
	}
	if o.PasswordNow != nil {
		u.CredentialsProviderContext = func(context.Context) (string, string, error) { return o.Username, o.PasswordNow(), nil }
	}
	if o.SentinelPasswordNow != nil {
		u.SentinelUsername, u.SentinelPassword = "", ""
		u.OnConnect = o.toSentinel
	}
	return u
}

func (o Options) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: o.TLS}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return lively(conn.(*tls.Conn)), nil
}

// toSentinel gives a sentinel the password that it wants, since the Redis client asks
// nobody for that one. Any other server has one at this point, or was given none at all.
func (o Options) toSentinel(ctx context.Context, conn *redis.Conn) error {
	err := conn.Ping(ctx).Err()
	if !redis.HasErrorPrefix(err, "NOAUTH") {
		return err
	}
	if o.SentinelUsername == "" {
		return conn.Auth(ctx, o.SentinelPasswordNow()).Err()
	}
	return conn.AuthACL(ctx, o.SentinelUsername, o.SentinelPasswordNow()).Err()
}
