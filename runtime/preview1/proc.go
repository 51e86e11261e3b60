package preview1

import (
	"context"
	"runtime"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// procExit is proc_exit(code): it ends the call that is running, with a
// *sys.ExitError. wazero's own also closes the instance, which could then not
// be restored for the next attempt.
func procExit(_ context.Context, _ api.Module, stack []uint64) {
	panic(sys.NewExitError(uint32(stack[0]))) // wazero unwinds the guest
}

// procRaise is proc_raise(signal), which was removed from preview 1.
func procRaise(context.Context, *State, api.Memory, []uint64) errno { return nosys }

// schedYield is sched_yield(): others may go first.
func schedYield(context.Context, *State, api.Memory, []uint64) errno {
	runtime.Gosched()
	return success
}
