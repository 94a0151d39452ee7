import { describe, expect, it } from 'vitest'
import { changedPictures } from '../../../../src/train/pictures/changedPictures.ts'

describe('the pictures of a run that goes on', () => {
  it('are worth no word when they are the same, in the same folder', () => {
    expect(changedPictures('3 pictures, contents a', '3 pictures, contents a', 'here', 'here')).toEqual([])
    expect(changedPictures('seas', 'seas', null, null)).toEqual([])
  })

  it('that have moved are the same by their contents', () => {
    expect(changedPictures('3 pictures, contents a', '3 pictures, contents a', 'there', 'here')).toEqual([
      'the pictures in there are those of the run, by their contents: it goes on with the same bits',
    ])
  })

  it('that are others are named with both fingerprints, whatever their folder and number', () => {
    for (const folder of ['here', 'there'])
      expect(changedPictures('3 pictures, contents a', '3 pictures, contents b', folder, 'here')).toEqual([
        `the pictures in ${folder} have changed (3 pictures, contents a then, 3 pictures, contents b now): the run goes on with those there are, but not as it would have`,
      ])
  })

  it('cannot be told from others where the checkpoint knows their names alone', () => {
    expect(changedPictures('3 pictures, 0a1b2c', '3 pictures, contents b', 'here', 'here')).toEqual([
      expect.stringContaining('cannot be told'),
    ])
  })
})
