package prepare

// global is an instruction on one of the added globals.
func (m *module) global(op byte, offset uint32) []byte { return uleb([]byte{op}, m.added()+offset) }

func (m *module) getFuel() []byte { return m.global(opGlobalGet, 0) }
func (m *module) setFuel() []byte { return m.global(opGlobalSet, 0) }

// fuel charges in a function, by the global alone or by a local beside it.
type fuel struct {
	m     *module
	index uint32 // of the local
	local bool
}

func (f fuel) get() []byte {
	if f.local {
		return uleb([]byte{opLocalGet}, f.index)
	}
	return f.m.getFuel()
}

// subtract takes a cost from the fuel.
func (f fuel) subtract(b []byte, cost int64) []byte {
	b = append(b, f.get()...)
	b = append(sleb(append(b, 0x42), cost), subI64)
	if f.local {
		b = uleb(append(b, opLocalTee), f.index)
	}
	return append(b, f.m.setFuel()...)
}

// look goes on if fuel is left and takes more if not.
func (f fuel) look(b []byte) []byte {
	b = append(b, f.get()...)
	b = append(b, 0x42, 0, ltSI64, opIf, void, opCall)
	b = uleb(b, f.m.helper(check))
	if f.local {
		b = f.load(b)
	}
	return append(b, opEnd)
}

func (f fuel) load(b []byte) []byte {
	return uleb(append(append(b, f.m.getFuel()...), opLocalSet), f.index)
}
