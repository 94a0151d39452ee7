/** The thread that decodes HEIC: libheif and libde265, compiled to WebAssembly. One picture a message. */
import { createRequire } from 'node:module'
import { parentPort } from 'node:worker_threads'
import type { HeicReply, HeicRequest } from './heic.node.ts'

/** What is used of libheif's functions. */
interface Libheif {
  readonly heif_error_code: { readonly heif_error_Ok: unknown }
  readonly heif_colorspace: { readonly heif_colorspace_RGB: unknown }
  readonly heif_chroma: {
    readonly heif_chroma_interleaved_RGB: unknown
    readonly heif_chroma_interleaved_RGBA: unknown
  }
  readonly heif_context_alloc: () => unknown
  readonly heif_context_free: (context: unknown) => void
  readonly heif_context_read_from_memory: (context: unknown, bytes: Uint8Array) => Outcome
  readonly heif_js_context_get_primary_image_handle: (context: unknown) => Outcome
  readonly heif_image_handle_release: (handle: unknown) => void
  readonly heif_image_handle_get_width: (handle: unknown) => number
  readonly heif_image_handle_get_height: (handle: unknown) => number
  readonly heif_image_handle_has_alpha_channel: (handle: unknown) => unknown
  readonly heif_image_handle_is_premultiplied_alpha: (handle: unknown) => unknown
  readonly heif_js_decode_image2: (handle: unknown, colours: unknown, chroma: unknown) => Decoded | Promise<Decoded>
  readonly heif_image_release: (image: unknown) => void
}

/** An error has `code` and `message`; a handle has neither. */
interface Outcome {
  readonly code?: unknown
  readonly message?: string
}

interface Decoded extends Outcome {
  readonly image?: unknown
  readonly channels?: readonly {
    readonly width: number
    readonly height: number
    readonly stride: number
    readonly data: Uint8Array
  }[]
}

const libheif: Libheif = createRequire(import.meta.url)('libheif-js/wasm-bundle')

const messageOf = (outcome: Outcome | undefined | null): string => outcome?.message?.trim() ?? 'it gives no reason'

const decodeHandle = async (handle: unknown, maxPixels: number): Promise<HeicReply> => {
  const pixels = libheif.heif_image_handle_get_width(handle) * libheif.heif_image_handle_get_height(handle)
  if (pixels > maxPixels) throw new Error(`its coded picture has ${pixels} pixels; the limit is ${maxPixels}`)
  const alpha = Boolean(libheif.heif_image_handle_has_alpha_channel(handle))
  const { heif_chroma_interleaved_RGB: rgb, heif_chroma_interleaved_RGBA: rgba } = libheif.heif_chroma
  const decoded = await libheif.heif_js_decode_image2(
    handle,
    libheif.heif_colorspace.heif_colorspace_RGB,
    alpha ? rgba : rgb,
  )
  const plane = decoded?.channels?.[0]
  if (plane === undefined) throw new Error(messageOf(decoded))
  const { width, height, stride, data } = plane
  const channels = alpha ? 4 : 3
  const samples = new Uint8Array(width * height * channels)
  for (let row = 0; row < height; row++)
    samples.set(data.subarray(row * stride, row * stride + width * channels), row * width * channels)
  libheif.heif_image_release(decoded.image)
  const premultiplied = alpha && Boolean(libheif.heif_image_handle_is_premultiplied_alpha(handle))
  return { _tag: 'Decoded', picture: { width, height, channels, samples, premultiplied } }
}

const decode = async ({ bytes, maxPixels }: HeicRequest): Promise<HeicReply> => {
  const context = libheif.heif_context_alloc()
  try {
    const read = libheif.heif_context_read_from_memory(context, bytes)
    if (read.code !== libheif.heif_error_code.heif_error_Ok) throw new Error(messageOf(read))
    const handle = libheif.heif_js_context_get_primary_image_handle(context)
    if (handle?.code !== undefined) throw new Error(messageOf(handle))
    try {
      return await decodeHandle(handle, maxPixels)
    } finally {
      libheif.heif_image_handle_release(handle)
    }
  } finally {
    libheif.heif_context_free(context)
  }
}

const answer = async (request: HeicRequest): Promise<void> => {
  try {
    const reply = await decode(request)
    const buffer = reply._tag === 'Decoded' ? reply.picture.samples.buffer : undefined
    const moved = buffer instanceof ArrayBuffer ? [buffer] : []
    parentPort?.postMessage(reply, moved)
  } catch (error) {
    parentPort?.postMessage({ _tag: 'Failed', message: error instanceof Error ? error.message : String(error) })
  }
}

parentPort?.on('message', (request: HeicRequest) => {
  void answer(request)
})
parentPort?.postMessage('ready')
