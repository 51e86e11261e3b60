package prepare

import (
	"bytes"
	"fmt"
	"strings"
)

var opNames = map[byte]string{
	0x00: "unreachable", 0x01: "nop", 0x02: "block", 0x03: "loop", 0x04: "if", 0x05: "else", 0x0b: "end",
	0x0c: "br", 0x0d: "br_if", 0x0e: "br_table", 0x0f: "return", 0x10: "call", 0x11: "call_indirect",
	0x12: "return_call", 0x1a: "drop", 0x1b: "select", 0x20: "local.get", 0x21: "local.set", 0x22: "local.tee",
	0x23: "global.get", 0x24: "global.set", 0x26: "table.set", 0x3f: "memory.size", 0x40: "memory.grow",
	0x41: "i32.const", 0x42: "i64.const", 0x4b: "i32.gt_u", 0x4d: "i32.le_u", 0x53: "i64.lt_s",
	0x56: "i64.gt_u", 0x6a: "i32.add", 0x6b: "i32.sub", 0x72: "i32.or", 0x7c: "i64.add", 0x7d: "i64.sub",
	0x86: "i64.shl", 0x88: "i64.shr_u", 0xad: "i64.extend_i32_u", 0xd2: "ref.func",
	0xfc: "misc", 0x2d: "i32.load8_u", 0x3a: "i32.store8", 0x45: "i32.eqz", 0x6e: "i32.div_u",
}

// Dump writes a prepared module for people to read.
func Dump(p *Module) string {
	m := &module{options: Options{MaxTable: noLimit}, start: -1, dataCount: -1}
	if err := m.decode(bytes.ReplaceAll(p.Wasm, []byte(Reserved), []byte("hive."))); err != nil {
		return err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "memory %+v\n", p.Memory)
	fmt.Fprintf(&b, "restorable: %t %s\n", p.Unrestorable == "", p.Unrestorable)
	for _, s := range p.Data {
		fmt.Fprintf(&b, "data %d %q\n", s.Offset, s.Bytes)
	}
	for i, g := range m.globals {
		fmt.Fprintf(&b, "global %d: %#x mutable %t\n", i, g.valueType, g.mutable)
	}
	for _, e := range m.exports {
		fmt.Fprintf(&b, "export %d %q\n", e.Kind, e.Name)
	}
	for i, body := range m.bodies {
		fmt.Fprintf(&b, "\nfunction %d, type %d, %d locals\n", int(m.imported)+i, m.funcs[int(m.imported)+i], body.count)
		m.dumpCode(&b, body.code)
	}
	return b.String()
}

func (m *module) dumpCode(b *strings.Builder, code []byte) {
	depth := 1
	for w := (walk{m: m, r: reader{b: code}, locals: noLimit}); w.r.left() > 0 && w.r.err == nil; {
		op := w.r.byte()
		if op == opEnd || op == opElse {
			depth--
		}
		fmt.Fprintf(b, "%s%s%s\n", strings.Repeat("  ", max(depth, 0)), name(op), w.arguments(op))
		if op == opElse || op >= opBlock && op <= opIf {
			depth++
		}
	}
}

func name(op byte) string {
	if n := opNames[op]; n != "" {
		return n
	}
	return fmt.Sprintf("%#x", op)
}

func (w *walk) arguments(op byte) string {
	r := &w.r
	from := r.at
	switch f := forms[op]; f {
	case formI32, formI64:
		return fmt.Sprint(" ", r.signed(64))
	case formBlock:
		w.m.blockType(&w.r)
		return ""
	case formLabel, formFunction, formLocal, formGlobal:
		return fmt.Sprint(" ", r.u32())
	case formLabels:
		for range r.u32() + 1 {
			r.u32()
		}
	case formIndirect:
		r.u32()
		r.u32()
	case formPrefix:
		for n := map[uint32]int{8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1}[r.u32()]; n > 0; n-- {
			r.u32()
		}
	default:
		w.immediates(f)
	}
	if r.at == from {
		return ""
	}
	return fmt.Sprintf(" %x", r.b[from:r.at])
}
