package runtime

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hive-spore/hive"
)

// Admission: a program is compiled and started for the first time in a child
// process. Compiling a hostile one can take any time and memory, and nothing
// can stop it from within. What comes out of the child is one file of code,
// which this process loads.

// What a child may take.
const (
	admitWithin  = 2 * time.Minute
	admitCPU     = 90       // seconds
	admitMemory  = 2 << 30  // bytes that are resident, looked at now and then
	admitAddress = 16 << 30 // bytes of addresses beyond those it starts with
	admitLook    = 20 * time.Millisecond
	admitDelay   = time.Second // until what a child has started itself is left alone
	maxProgram   = 64 << 20    // bytes
	maxVerdict   = 16 << 10
)

// order is what the child is to do: the JSON before the program on its input.
type order struct {
	Dir      string        `json:"dir"` // to compile into
	Manifest hive.Manifest `json:"manifest"`
}

// verdict is what it answers, as JSON.
type verdict struct {
	Refusal string `json:"refusal,omitempty"` // why the program cannot be a skill
	Error   string `json:"error,omitempty"`   // why nothing can be said of it
}

// admit has a child compile the program into dir.
func (e *Engine) admit(dir cacheDir, wasm []byte, m *hive.Manifest) error {
	if len(e.admission) == 0 {
		return errors.New("a program is compiled in a child process, and this one was not told its command (Options.Admit)")
	}
	select {
	case e.children <- struct{}{}:
		defer func() { <-e.children }()
	case <-e.life.Done():
		return context.Cause(e.life)
	}
	private, err := os.MkdirTemp(dir.root, ".admit-")
	if err != nil {
		return fmt.Errorf("admit program: %w", err)
	}
	defer os.RemoveAll(private)
	code := filepath.Join(private, "code")
	v, err := e.ask(order{code, *m}, wasm)
	switch {
	case err != nil:
		return err
	case v.Refusal != "":
		return &Refusal{plain(v.Refusal, 6*maxName)}
	case v.Error != "":
		return fmt.Errorf("admit program: %s", plain(v.Error, 6*maxName))
	}
	if err := dir.adopt(code); err != nil {
		return fmt.Errorf("admit program: %w", err)
	}
	return nil
}

// admitting is a variable in the environment of children. One that asks for a
// child itself was given the wrong command, and would go on and on.
const admitting = "HIVE_ADMITTING"

// ask runs a child and returns its verdict. One that had to be killed, or died, is a
// refusal: the program did that. Not if somebody else killed it, such as a system that is
// out of memory: what is within its limits may be compiled another time.
func (e *Engine) ask(o order, wasm []byte) (verdict, error) {
	if os.Getenv(admitting) != "" {
		return verdict{}, errors.New("this process was started to compile a program, but does not call runtime.Admit: Options.Admit names the wrong command")
	}
	ctx, cancel := context.WithTimeoutCause(e.life, admitWithin,
		refuse("takes more than %v to compile", admitWithin))
	defer cancel()
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	cmd := exec.CommandContext(ctx, e.admission[0], e.admission[1:]...)
	cmd.Env = []string{"GOTRACEBACK=none", admitting + "=1"} // what this process knows is not the child's business
	answer := &capped{most: maxVerdict}
	cmd.Stdout = answer
	ownGroup(cmd)
	cmd.WaitDelay = admitDelay
	input, err := cmd.StdinPipe()
	if err != nil {
		return verdict{}, fmt.Errorf("admit program: %w", err)
	}
	if err := cmd.Start(); err != nil && ctx.Err() != nil {
		return verdict{}, context.Cause(ctx)
	} else if err != nil {
		return verdict{}, fmt.Errorf("admit program: %w", err)
	}
	watched := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(watched)
		watchMemory(cmd.Process.Pid, e.childMemory, kill, done)
	}()
	// The input stays open: a child whose parent is gone finds its end and exits.
	sendErr := send(input, o, wasm)
	err = cmd.Wait()
	close(done)
	<-watched
	if cause := context.Cause(ctx); cause != nil {
		return verdict{}, cause
	}
	if killed(cmd.ProcessState) {
		return verdict{}, errors.New("admit program: the process that compiled it was killed: is the machine short of memory?")
	}
	var v verdict
	if json.Unmarshal(answer.Bytes(), &v) != nil || err != nil {
		return verdict{}, refuse("cannot be compiled: the process that tried ended with %q", plain(fmt.Sprint(errors.Join(err, sendErr)), maxName))
	}
	return v, nil
}

// killed reports whether a child ended by kill -9 before it had used up its time.
func killed(s *os.ProcessState) bool {
	status, ok := s.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL && s.UserTime()+s.SystemTime() < (admitCPU-1)*time.Second
}

// send writes two blocks, each after its length.
func send(to io.Writer, o order, wasm []byte) error {
	head, err := json.Marshal(o)
	if err != nil {
		return err
	}
	for _, block := range [][]byte{head, wasm} {
		if err := binary.Write(to, binary.BigEndian, uint32(len(block))); err != nil {
			return err
		}
		if _, err := to.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// watchMemory ends a child that holds too much.
func watchMemory(pid int, most uint64, kill context.CancelCauseFunc, done <-chan struct{}) {
	look := time.NewTicker(admitLook)
	defer look.Stop()
	for {
		select {
		case <-done:
			return
		case <-look.C:
			if resident(pid) > most {
				kill(refuse("takes more than %s of memory to compile", size(most)))
				return
			}
		}
	}
}

// Admit is what the child process does: it reads a program from in, compiles
// and starts it, and writes to out what came of it. The options must have the
// Host of the engine that asks. It ends the process when in ends before that.
func Admit(ctx context.Context, o Options, in io.Reader, out io.Writer) error {
	limitSelf()
	ord, wasm, err := readOrder(in)
	if err != nil {
		return err
	}
	go exitWith(in)
	var v verdict
	if err := admitted(ctx, o, ord, wasm); err != nil {
		if _, ok := errors.AsType[*Refusal](err); ok {
			v.Refusal = err.Error()
		} else {
			v.Error = err.Error()
		}
	}
	return json.NewEncoder(out).Encode(v)
}

func readOrder(in io.Reader) (o order, wasm []byte, err error) {
	head, err := receive(in)
	if err == nil {
		err = json.Unmarshal(head, &o)
	}
	if err != nil {
		return order{}, nil, fmt.Errorf("read order: %w", err)
	}
	if wasm, err = receive(in); err != nil {
		return order{}, nil, fmt.Errorf("read program: %w", err)
	}
	return o, wasm, nil
}

// exitWith ends the process when the reader ends: its parent is gone.
func exitWith(in io.Reader) {
	_, _ = io.Copy(io.Discard, in)
	os.Exit(1)
}

func receive(in io.Reader) ([]byte, error) {
	var n uint32
	if err := binary.Read(in, binary.BigEndian, &n); err != nil {
		return nil, err
	}
	if n > maxProgram {
		return nil, fmt.Errorf("%d bytes, at most %d are allowed", n, maxProgram)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(in, b)
	return b, err
}

// admitted goes through all that the parent will do with the program.
func admitted(ctx context.Context, o Options, ord order, wasm []byte) error {
	o.CacheDir = filepath.Dir(ord.Dir)
	e, err := New(ctx, o)
	if err != nil {
		return err
	}
	e.trusting, e.into = true, ord.Dir
	s, err := e.Prepare(ctx, wasm, &ord.Manifest)
	if err == nil {
		err = s.Close(ctx)
	}
	return errors.Join(err, e.Close(ctx))
}

// capped keeps what fits of what a child says.
type capped struct {
	bytes.Buffer
	most int
}

// Write never fails: a child that says too much is refused for what is missing.
func (c *capped) Write(p []byte) (int, error) {
	c.Buffer.Write(p[:min(len(p), c.most-c.Len())])
	return len(p), nil
}
