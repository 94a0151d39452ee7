/** Labels and indices that the host knows are checked where they are used; those of a device cannot be. */
import { requireLabelNode } from './knownNode.ts'
import type { Tensor } from './tensor.ts'

/**
 * Refuses a label outside 0 … count − 1, where its value is known at the call.
 *
 * @param who who takes the labels: the beginning of the message
 * @param name what they are called there: a label, an index, a time
 * @param except a label outside that is meant
 */
export const requireLabels = (who: string, name: string, labels: Tensor, count: number, except?: number): void => {
  requireLabelNode(who, name, labels.node, count, except)
}
