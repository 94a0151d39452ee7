/** The accuracy of every function on every backend: measuring it, and holding it to what is published. */
export { accuracySuite } from './suite.ts'
