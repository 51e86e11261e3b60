package preview1

// errno is an error number of preview 1, of which these are the ones used.
type errno uint32

const (
	success errno = 0
	badf    errno = 8  // no such descriptor, or not for this
	fault   errno = 21 // an address outside of the guest's memory
	intr    errno = 27 // the attempt is ending
	inval   errno = 28 // an argument that means nothing
	io_     errno = 29 // a stream failed
	nosys   errno = 52 // not offered
	notdir  errno = 54 // a stream where a directory is asked for
	notsock errno = 57 // a stream where a socket is asked for
	spipe   errno = 70 // a position in a stream
)
