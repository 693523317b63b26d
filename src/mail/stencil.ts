/**
 * Text cut at its marks into bytes that are copied and places that are filled: `pieces` has one more entry than `holes`,
 * and `holes` names, by its number, the value that goes between two pieces.
 */
export type Stencil = {
  readonly pieces: readonly Buffer[]
  readonly holes: readonly number[]
  /** Bytes of the pieces together. */
  readonly fixed: number
}

/** Cuts a text at each of its marks. Throws when a mark occurs nowhere: its value would be lost. */
export function cutStencil(text: string, marks: readonly string[]): Stencil {
  const parts = text.split(new RegExp(`(${marks.join('|')})`))
  const pieces = parts.filter((_, at) => at % 2 === 0).map((piece) => Buffer.from(piece))
  const holes = parts.filter((_, at) => at % 2 === 1).map((mark) => marks.indexOf(mark))
  const lost = marks.find((_, number) => !holes.includes(number))
  if (lost) throw new Error(`There is no place for "${lost}" in the text`)
  return { pieces, holes, fixed: pieces.reduce((sum, piece) => sum + piece.byteLength, 0) }
}

/** Bytes of the stencil filled with these values, which are ASCII. */
export function filledLength({ fixed, holes }: Stencil, values: readonly string[]): number {
  let length = fixed
  for (const number of holes) length += valueAt(values, number).length
  return length
}

/**
 * The stencil filled for each reader, one after the other, through one small block: it is handed out whenever it is full
 * and written over afterwards. So a call of any size takes the memory of a block, and what is copied is still in the
 * processor's cache when it is sent. Values are ASCII, and shorter than the block.
 */
export function* fillBlocks(
  { pieces, holes }: Stencil,
  readers: readonly (readonly string[])[],
  block: Buffer,
): Generator<Buffer> {
  let at = 0
  for (const values of readers) {
    for (const [number, piece] of pieces.entries()) {
      for (let from = 0; from < piece.byteLength; ) {
        if (at === block.byteLength) {
          yield block
          at = 0
        }
        const copied = piece.copy(block, at, from)
        from += copied
        at += copied
      }
      const hole = holes[number]
      if (hole === undefined) continue
      const value = valueAt(values, hole)
      if (block.byteLength - at < value.length) {
        yield block.subarray(0, at)
        at = 0
      }
      at += block.write(value, at, 'latin1')
    }
  }
  yield block.subarray(0, at)
}

function valueAt(values: readonly string[], number: number): string {
  const value = values[number]
  if (value === undefined) throw new Error(`A reader has no value for place ${number}`)
  return value
}
