import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutEdition, fillEdition, freezeEdition, holeFor, toldOnly } from '../../src/issue/edition.ts'
import { passageMarks, withPassages, withPrimaryPassages } from '../../src/issue/passage.ts'
import { printable } from '../../src/mail/printable.ts'
import { annsLinks } from '../setup/sample-issue.ts'

function passage(key: string, words: string, isPrimary = true): string {
  const { open, close } = passageMarks({ key, isPrimary })
  return `${open}${words}${close}`
}

const part = `Before. ${passage('12.1', 'Twelve. ')}${passage('1.2', 'One.\n')}${passage('12.3', 'Late. ', false)}After.`

describe('a passage of an edition', () => {
  it('is there for the readers whose key it has, and for nobody else', () => {
    expect(withPassages(part, [])).toBe('Before. After.')
    expect(withPassages(part, ['1.2'])).toBe('Before. One.\nAfter.')
    expect(withPassages(part, ['12.3', '12.1'])).toBe('Before. Twelve. Late. After.')
    expect(withPassages(part, ['2.1', '12'])).toBe('Before. After.')
  })

  it('is shown to nobody in particular only when it is primary', () => {
    expect(withPrimaryPassages(part)).toBe('Before. Twelve. One.\nAfter.')
  })

  it('cannot be opened or closed by anything that data brings', () => {
    const word = fc.string({ unit: fc.constantFrom('\u0004', '\u0005', '\u0006', '~', '1', '.', 'a') })
    fc.assert(
      fc.property(word, word, (inside, outside) => {
        const text = `${printable(outside)}${passage('1.1', printable(inside))}${printable(outside)}`
        expect(withPassages(text, ['1.1'])).toBe(printable(outside) + printable(inside) + printable(outside))
        expect(withPassages(text, [])).toBe(printable(outside) + printable(outside))
      }),
    )
  })

  it('is cut out under another hash, with the holes of the edition still open', () => {
    const text = `${part} ${holeFor('unsubscribe')}`
    const edition = freezeEdition({ subject: 'S', preheader: 'P', html: text, text })

    const none = toldOnly(edition, [])

    expect(none.hash).not.toBe(edition.hash)
    expect(toldOnly(none, ['1.2'])).toEqual(none)
    expect(fillEdition(cutEdition(none), annsLinks).text).toBe(`Before. After. ${annsLinks.unsubscribe}`)
    expect(fillEdition(cutEdition(edition), annsLinks).html).toContain('Twelve. One.\nAfter.')
  })
})
