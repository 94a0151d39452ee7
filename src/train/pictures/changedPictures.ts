/** Whether the pictures of a run are those that it was trained on. */

/** Marks a fingerprint of contents; checkpoints of before have one of names. */
export const byContents = 'contents '

/**
 * What a person should know of the pictures of a run that goes on: whether they are those that it was trained on.
 *
 * @param then the fingerprint in the checkpoint
 * @param now that of the pictures that there are
 * @param folder in which these lie
 * @param before the folder in which the others lay
 */
export const changedPictures = (
  then: string,
  now: string,
  folder: string | null,
  before: string | null,
): readonly string[] => {
  const words = folder === null ? 'procedural seas' : `the pictures in ${folder}`
  if (then === now)
    return folder === before ? [] : [`${words} are those of the run, by their contents: it goes on with the same bits`]
  if (folder !== null && !then.includes(byContents) && then !== 'seas')
    return [
      `the checkpoint knows ${words} by their names alone, as it was saved by an earlier version: whether their contents have changed cannot be told`,
    ]
  return [
    `${words} have changed (${then} then, ${now} now): the run goes on with those there are, but not as it would have`,
  ]
}
