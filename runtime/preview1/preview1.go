// Package preview1 is a small WASI preview 1 whose whole state belongs to one
// attempt.
//
// wazero's own keeps descriptors in the instance: an attempt that closes
// standard output leaves that to the next attempt of an instance that is
// restored and used again. Here nothing outlives a [State], and a State is
// found through the context of each call. There are the three standard
// streams, arguments, environment, clocks, random numbers, polling, exiting,
// and directories to read. What would change files or needs sockets is there
// to be linked and says no.
package preview1

import (
	"context"
	"reflect"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// ModuleName is the module that programs import these functions from.
const ModuleName = "wasi_snapshot_preview1"

// function is one function of preview 1: it acts on the attempt s and the
// guest's memory, takes its parameters from p and answers an error number.
// All of p is hostile.
type function func(ctx context.Context, s *State, mem api.Memory, p []uint64) errno

// functions are all of preview 1 but proc_exit, in the order of its
// specification. A letter stands for a parameter: i for i32, I for i64. The
// result is an errno, an i32.
var functions = []struct {
	name, params string
	call         function
}{
	{"args_get", "ii", argsGet},
	{"args_sizes_get", "ii", argsSizesGet},
	{"environ_get", "ii", environGet},
	{"environ_sizes_get", "ii", environSizesGet},
	{"clock_res_get", "ii", clockResGet},
	{"clock_time_get", "iIi", clockTimeGet},
	{"fd_advise", "iIIi", fdAdvise},
	{"fd_allocate", "iII", refuse(0, nosys, badf, badf)},
	{"fd_close", "i", fdClose},
	{"fd_datasync", "i", refuseAll(0, success)}, // nothing is buffered
	{"fd_fdstat_get", "ii", fdFdstatGet},
	{"fd_fdstat_set_flags", "ii", fdFdstatSetFlags},
	{"fd_fdstat_set_rights", "iII", refuseAll(0, nosys)},
	{"fd_filestat_get", "ii", fdFilestatGet},
	{"fd_filestat_set_size", "iI", refuse(0, nosys, badf, badf)},
	{"fd_filestat_set_times", "iIIi", refuse(0, nosys, rofs, rofs)},
	{"fd_pread", "iiiIi", fdPread},
	{"fd_prestat_get", "ii", fdPrestatGet},
	{"fd_prestat_dir_name", "iii", fdPrestatDirName},
	{"fd_pwrite", "iiiIi", refuse(0, spipe, badf, badf)},
	{"fd_read", "iiii", fdRead},
	{"fd_readdir", "iiiIi", fdReaddir},
	{"fd_renumber", "ii", fdRenumber},
	{"fd_seek", "iIii", fdSeek},
	{"fd_sync", "i", refuseAll(0, success)},
	{"fd_tell", "ii", fdTell},
	{"fd_write", "iiii", fdWrite},
	{"path_create_directory", "iii", refuse(0, notdir, notdir, rofs)},
	{"path_filestat_get", "iiiii", pathFilestatGet},
	{"path_filestat_set_times", "iiiiIIi", refuse(0, notdir, notdir, rofs)},
	{"path_link", "iiiiiii", refuse(0, notdir, notdir, rofs)},
	{"path_open", "iiiiiIIii", pathOpen},
	{"path_readlink", "iiiiii", pathReadlink},
	{"path_remove_directory", "iii", refuse(0, notdir, notdir, rofs)},
	{"path_rename", "iiiiii", refuse(0, notdir, notdir, rofs)},
	{"path_symlink", "iiiii", refuse(2, notdir, notdir, rofs)},
	{"path_unlink_file", "iii", refuse(0, notdir, notdir, rofs)},
	{"poll_oneoff", "iiii", pollOneoff},
	{"proc_raise", "i", procRaise},
	{"sched_yield", "", schedYield},
	{"random_get", "ii", randomGet},
	{"sock_accept", "iii", refuseAll(0, notsock)},
	{"sock_recv", "iiiiii", refuseAll(0, notsock)},
	{"sock_send", "iiiii", refuseAll(0, notsock)},
	{"sock_shutdown", "ii", refuseAll(0, notsock)},
}

// Add returns what exports all functions of preview 1 to a host module.
// stateOf finds the State of the attempt that calls; where it returns nil,
// there is no attempt, and every function but proc_exit answers ENOSYS.
func Add(stateOf func(context.Context) *State) func(wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	return func(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
		for _, f := range functions {
			b = export(b, f.name, host(f.call, stateOf), types(f.params), types("i"))
		}
		return export(b, "proc_exit", procExit, types("i"), nil)
	}
}

func export(b wazero.HostModuleBuilder, name string, f api.GoModuleFunc, params, results []api.ValueType) wazero.HostModuleBuilder {
	return b.NewFunctionBuilder().WithGoModuleFunction(f, params, results).WithName(name).Export(name)
}

// host makes the function one that wazero calls.
func host(call function, stateOf func(context.Context) *State) api.GoModuleFunc {
	return func(ctx context.Context, m api.Module, stack []uint64) {
		s := stateOf(ctx)
		if s == nil {
			stack[0] = uint64(nosys)
			return
		}
		stack[0] = uint64(call(ctx, s, memoryOf(m), stack))
	}
}

// types spells out the parameters of functions.
func types(letters string) []api.ValueType {
	list := make([]api.ValueType, len(letters))
	for i, c := range letters {
		list[i] = api.ValueTypeI32
		if c == 'I' {
			list[i] = api.ValueTypeI64
		}
	}
	return list
}

// memoryOf returns the guest's memory, empty for a guest without one, which
// wazero hands out as a pointer that is nil and yet no nil interface.
func memoryOf(m api.Module) api.Memory {
	mem := m.Memory()
	if v := reflect.ValueOf(mem); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return noMemory{}
	}
	return mem
}

// noMemory is a memory of no bytes: every address is outside of it.
type noMemory struct{ api.Memory }

func (noMemory) Read(uint32, uint32) ([]byte, bool) { return nil, false }
func (noMemory) WriteUint32Le(uint32, uint32) bool  { return false }
func (noMemory) WriteUint64Le(uint32, uint64) bool  { return false }
