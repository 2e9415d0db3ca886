package judge

// connection checks the counters of faults between host and drive. They are not about
// the medium, and they are never reset.
func (c *checker) connection() {
	c.simple(crc)
	c.simple(timeouts)
}
