import type { Mail } from './email.ts'
import type { Body } from './post.ts'
import { fillBlocks, filledLength, type Stencil } from './stencil.ts'

/** A mail as Resend's client writes it into the body of a batch, byte for byte: a test holds the two together. */
export function jsonOfMail({ from, headers, html, replyTo, subject, tags, text, to }: Mail): string {
  return JSON.stringify({
    ...{ from, headers, html, reply_to: replyTo, subject },
    tags: Object.entries(tags).map(([name, value]) => ({ name, value })),
    ...{ text, to },
  })
}

/**
 * A batch as JSON, made block by block while it is sent. The stencil is a mail with a comma before it; the first of them
 * becomes the bracket that opens the list.
 */
export function mergedBody(stencil: Stencil, readers: readonly (readonly string[])[]): Body {
  const values = readers.map((reader) => (isPlain(reader) ? reader : reader.map(escaped)))
  return {
    length: values.reduce((sum, reader) => sum + filledLength(stencil, reader), 1),
    *blocks() {
      const block = freeBlocks.pop() ?? Buffer.allocUnsafe(blockSize)
      let isFirst = true
      for (const filled of fillBlocks(stencil, values, block)) {
        if (isFirst) filled.write('[', 0, 'latin1')
        isFirst = false
        yield filled
      }
      freeBlocks.push(block)
      yield bracket
    },
  }
}

/** Small enough to stay in the processor's cache, large enough that a call is not spent on writing. */
const blockSize = 32_768
/** Blocks that no call writes from now. One whose call broke off is not given back: it may still be read. */
const freeBlocks: Buffer[] = []
const bracket = Buffer.from(']')

/** Whether a reader's values can stand in JSON as they are, as almost everybody's can. */
export function isPlain(values: readonly string[]): boolean {
  for (const value of values) if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(value)) return false
  return true
}

/** Escaped so that a value has as many bytes as characters. */
function escaped(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
