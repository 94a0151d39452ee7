/** The least that a page can do with a device: its bundle says what a page ships. */
import { open, tensor } from 'fathom'

const opened = await open('wasm')()
if (opened._tag === 'Right') document.body.append(String(await opened.right.read(tensor([1, 2]).exp())))
