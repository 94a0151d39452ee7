/** The accuracy of every function on every backend: measuring it, and holding it to what is published. */
export { accuracySuite, type AccuracyOptions } from './suite.ts'
