package broker

import (
	"context"
	"embed"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// The scripts, each with what it needs of foreign and the prelude joined in front.
var (
	scriptEnqueue    = load("enqueue")
	scriptAssign     = load("assign")
	scriptAssignTask = load("assign_task")
	scriptFetch      = load("fetch")
	scriptComplete   = load("complete")
	scriptCommit     = load("effects", "commit")
	scriptFail       = load("fail")
	scriptEmit       = load("emit")
	scriptRelease    = load("release")
	scriptReclaim    = load("reclaim")
	scriptExpire     = load("expire")
	scriptPromote    = load("promote")
	scriptLapse      = load("lapse")
	scriptCancel     = load("cancel")
	scriptRetry      = load("retry")
	scriptWait       = load("wait")
	scriptForget     = load("forget")
	scriptCron       = load("cron")
	scriptDue        = load("due")
	scriptBlob       = load("blob")
	scriptPut        = load("put")
	scriptPeek       = load("peek")
	scriptFlow       = load("flow")
	scriptRegister   = load("register")
	scriptHeartbeat  = load("heartbeat")
	scriptUnregister = load("unregister")
	scriptCampaign   = load("campaign")
	scriptAnnounce   = load("announce")
	scriptShow       = load("show")
	scriptMend       = load("mend")
	scriptAdopt      = load("adopt")
	scriptUnlist     = load("unlist")
	scriptTell       = load("tell")
	scriptTold       = load("told")
	scriptHeard      = load("heard")
	scriptTellers    = load("tellers")
	scriptNodes      = load("nodes")
	scriptRecount    = load("recount")
	scriptTouch      = load("touch")
	scriptControls   = load("controls")
)

func load(names ...string) *redis.Script {
	var text string
	for _, name := range names {
		text += lua(name)
	}
	return redis.NewScript(join(text))
}

func lua(name string) string {
	text, err := luaFiles.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // the file is compiled in
	}
	return string(text)
}

// clock asks for the time, in Unix ms, of the server that holds the shard. On a
// Cluster a plain TIME goes to any server; a script goes where its key is.
func (b *Broker) clock(ctx context.Context, c redis.Cmdable) *redis.Cmd {
	const text = "local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000)"
	return c.Eval(ctx, text, []string{b.keys.prefix})
}

// run calls a script on the shard. A server that lost its scripts gets them anew.
func (b *Broker) run(ctx context.Context, s *redis.Script, args ...any) *redis.Cmd {
	keys := []string{b.keys.prefix}
	if b.opts.cluster() {
		keys = append(keys, b.keys.never())
	}
	return s.Run(ctx, b.rdb, keys, args...)
}
