package broker

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// healing lets plain commands do what scripts do about a value of another type: it is
// moved aside, and the command goes on without it. Where the user's ACL forbids that, the
// command fails, until the nexus that leads has looked at the key.
type healing struct{ b *Broker }

func (h healing) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h healing) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if h.heal(ctx, cmd, err) {
			return next(ctx, cmd)
		}
		return err
	}
}

func (h healing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		healed := false
		for _, cmd := range cmds {
			if h.heal(ctx, cmd, cmd.Err()) {
				_ = h.b.rdb.Process(ctx, cmd) // its error is looked at below
				healed = true
			}
		}
		if !healed {
			return err
		}
		for _, cmd := range cmds {
			if cmd.Err() != nil {
				return cmd.Err()
			}
		}
		return nil
	}
}

// heal reports whether a command failed at a foreign value that is out of the way now.
func (h healing) heal(ctx context.Context, cmd redis.Cmder, err error) bool {
	args := cmd.Args()
	if len(args) < 2 || !redis.HasErrorPrefix(err, "WRONGTYPE") && !redis.HasErrorPrefix(err, "value is not an integer") {
		return false
	}
	key, _ := args[1].(string)
	name, ours := strings.CutPrefix(key, h.b.keys.prefix)
	if !ours {
		return false
	}
	probe := probeOf(cmd.Name())
	return h.b.run(ctx, scriptTouch, append([]any{probe[0], name}, probe[1:]...)...).Err() == nil
}

// probeOf is a command that does nearly nothing to what another command works on.
func probeOf(command string) []any {
	switch command[0] {
	case 'h':
		return []any{"HLEN"}
	case 'l', 'r', 'b':
		return []any{"LLEN"}
	case 'z':
		return []any{"ZCARD"}
	case 's':
		return []any{"SCARD"}
	case 'i':
		return []any{"INCRBY", 1}
	}
	return []any{"STRLEN"}
}
