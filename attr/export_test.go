package attr

// Bit tells which of the 64 bits a key has.
func Bit[T any](k Key[T]) uint64 { return k.bit }
