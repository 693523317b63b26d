import { readFileSync } from 'node:fs'
import { Piscina } from 'piscina'
import { composeComparison } from '../../issue/compose.ts'
import { versionOf } from '../../template.ts'
import type { Comparison } from '../../verdict/comparison.ts'
import type { Stamp } from '../../verdict/panel.ts'

/** What a social card says: nothing but what a revision fixes, so that votes draw no new one. */
export type Card = {
  readonly sentence: string
  readonly tools: readonly {
    readonly name: string
    readonly stamp: Stamp
    readonly percent: number
    readonly panelLabel: string
  }[]
}

/** Thrown when more cards wait to be drawn than will be soon. */
export class TooManyCards extends Error {
  override readonly name = 'TooManyCards'
}

const drawing = new URL('./card-drawing.ts', import.meta.url)
const design = versionOf(readFileSync(drawing, 'utf8'))

export function cardOf(comparison: Comparison): Card {
  const { sentence, tools } = composeComparison(comparison)
  return {
    sentence,
    tools: tools.map(({ name, stamp, panel, panelLabel }) => ({
      name,
      stamp,
      percent: panel.percent,
      panelLabel,
    })),
  }
}

/** A word that changes whenever the picture may have: with each revision, and with how it is drawn. */
export function cardVersion(
  slug: string,
  { revision, revisedAt }: { readonly revision: number; readonly revisedAt: Temporal.Instant },
): string {
  return versionOf(`${design} ${slug} ${revision} ${revisedAt}`)
}

/** Draws a card as a PNG of 1200×630. Rejects with `TooManyCards` while it has more to do than it will have done soon. */
export type CardPress = { readonly draw: (card: Card) => Promise<Uint8Array<ArrayBuffer>> }

/** As many as wait about a second. */
const mostWaiting = 32

/**
 * Draws one at a time in a thread of its own, which is started when first needed and ends when idle: whoever asks for many
 * pictures holds up nobody who asks for pages.
 */
export function openCardPress(): CardPress {
  let pool: Piscina<Card, Uint8Array<ArrayBuffer>> | undefined
  return {
    draw: async (card) => {
      pool ??= new Piscina({
        ...{ filename: drawing.href, minThreads: 0, maxThreads: 1, maxQueue: mostWaiting },
        ...{ idleTimeout: 30_000, resourceLimits: { maxOldGenerationSizeMb: 256 } },
      })
      if (pool.queueSize >= mostWaiting) throw new TooManyCards()
      return pool.run(card, { name: 'drawCard' })
    },
  }
}
