/** How the time of a run of two stages is divided. */

/**
 * The seconds of a run's time that are for its autoencoder: two fifths of an hour, and a fifth of what is more, for the longer it has learned the
 * less it learns. What it does not take, or takes too much, the second stage has more or less.
 */
export const secondsOfStage = (time: number): number => 0.4 * Math.min(time, 3600) + 0.2 * Math.max(0, time - 3600)
