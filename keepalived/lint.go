package keepalived

func (c *Config) checkBytes()                                    {}
func (e *eval) recipients(s, v *stmt)                            {}
func (e *eval) scriptValue(s *stmt, words []word, args []string) {}
func (e *eval) legacy()                                          {}
func (e *eval) lint()                                            {}
func (e *eval) braceLine(s, v *stmt)                             {}
func (r *reader) inWord(b buffer, i int)                         {}
func (r *reader) escaped(b buffer, at int)                       {}
