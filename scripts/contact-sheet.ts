/**
 * Writes a contact sheet of procedural seas: `node --experimental-strip-types scripts/contact-sheet.ts out.png [size]
 * [seed] [columns] [zoom]`.
 */
import { writeFileSync } from 'node:fs'
import { PNG } from 'pngjs'
import { seas } from '../src/data/seas/index.ts'

const [out = 'seas.png', ...numbers] = process.argv.slice(2)
const [size = 64, seed = 1, columns = 8, zoom = 2] = numbers.map(Number)

const data = seas({ seed, size })
const gap = 2
const cell = size * zoom + gap
const sheet = new PNG({ width: columns * cell + gap, height: columns * cell + gap })
sheet.data.fill(255)
const start = performance.now()
const images = Array.from({ length: columns * columns }, (_, i) => data.image(i))
const perImage = (performance.now() - start) / images.length

for (const [index, image] of images.entries()) {
  const left = gap + (index % columns) * cell
  const top = gap + Math.floor(index / columns) * cell
  for (let y = 0; y < size * zoom; y++) {
    for (let x = 0; x < size * zoom; x++) {
      const from = (Math.floor(y / zoom) * size + Math.floor(x / zoom)) * 3
      sheet.data.set(image.subarray(from, from + 3), ((top + y) * sheet.width + left + x) * 4)
    }
  }
}
writeFileSync(out, PNG.sync.write(sheet))
console.log(`${out}: ${images.length} seas of ${size}×${size}, ${perImage.toFixed(2)} ms each`)
