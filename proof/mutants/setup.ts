/** In a mutated copy the first counterexample is enough: to shrink it would take longer than to find it. */
import fc from 'fast-check'

fc.configureGlobal({ endOnFailure: true })
