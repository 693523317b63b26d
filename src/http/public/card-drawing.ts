import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Resvg } from '@resvg/resvg-js'
import satori, { type Font } from 'satori'
import type { Card } from './card.ts'

const [width, height] = [1200, 630]
const ink = '#1C1B19'
const [paper, muted, hairline, ship, skip] = ['#FBFAF7', '#5F5B53', '#E4E0D8', '#1F7A4D', '#B93A17']

/**
 * Runs in a thread of its own (`card.ts`). A name that has a sign for which we have no font (Chinese, Arabic, emoji) would
 * show as empty boxes: then the card asks the question and names nobody.
 */
export async function drawCard(card: Card): Promise<Uint8Array> {
  const svg = (await set(namedCard(card))) ?? (await set(namelessCard()))
  if (!svg) throw new Error('The fonts lack a sign of our own words')
  return new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng()
}

type Style = Readonly<Record<string, string | number>>
type Node = { readonly type: 'div'; readonly props: { readonly style: Style; readonly children: Child } }
type Child = string | readonly Node[]

/** The picture as SVG with its letters as outlines; undefined when a letter has none. */
async function set(node: Node): Promise<string | undefined> {
  let isComplete = true
  const svg = await satori(node, {
    ...{ width, height, fonts },
    loadAdditionalAsset: async () => {
      isComplete = false
      return []
    },
  })
  return isComplete ? svg : undefined
}

function namedCard({ tools, sentence }: Card): Node {
  const longest = Math.max(...tools.map(({ name }) => name.length))
  const fontSize = longest <= 16 ? 72 : longest <= 28 ? 58 : longest <= 52 ? 44 : 34
  const row = (set: (tool: Card['tools'][number]) => Node, style: Style) =>
    box(
      style,
      tools.map((tool, side) => box({ width: 536, paddingRight: 24, ...(side === 1 && right) }, [set(tool)])),
    )
  return page([
    row(({ name }) => text({ ...serif(700), fontSize, lineHeight: 1.08, lineClamp: 3 }, name), {
      marginTop: 40,
    }),
    row(figure, {}),
    box({ flexGrow: 1, alignItems: 'flex-end' }, [
      text({ ...serif(400), fontSize: 34, lineHeight: 1.25, lineClamp: 2 }, sentence),
    ]),
  ])
}

const right = { paddingLeft: 40, borderLeft: `2px solid ${hairline}` }

function figure({ stamp: word, percent, panelLabel }: Card['tools'][number]): Node {
  return box({ alignItems: 'center', paddingTop: 28 }, [
    stamp(word),
    text({ ...sans, fontSize: 52, marginLeft: 24 }, `${percent}%`),
    text({ ...serif(400), fontSize: 28, color: muted, marginLeft: 18 }, panelLabel),
  ])
}

function namelessCard(): Node {
  return page([
    column({ flexGrow: 1, justifyContent: 'center' }, [
      text({ ...serif(700), fontSize: 92, lineHeight: 1.1 }, 'Which one should you ship with?'),
    ]),
    text({ ...serif(400), fontSize: 34 }, 'Two AI tools side by side: panel verdict, price, reviewer split.'),
  ])
}

/** The masthead of every page, and what stands under it. */
function page(children: readonly Node[]): Node {
  return column({ width, height, padding: '52px 64px 56px', background: paper, color: ink }, [
    box({ alignItems: 'center', paddingBottom: 22, borderBottom: `6px solid ${ink}` }, [
      square({ background: ink }),
      square({ marginLeft: 5 }),
      text({ ...serif(700), fontSize: 34, marginLeft: 20, flexGrow: 1 }, 'Weekly AI Tool Verdicts'),
      text({ ...serif(400), fontSize: 28, color: muted }, 'AI tool comparison'),
    ]),
    ...children,
  ])
}

function stamp(word: Card['tools'][number]['stamp']): Node {
  const look = {
    ship: { background: ship, borderColor: ship, color: paper },
    skip: { borderColor: skip, color: skip },
    split: { borderColor: ink, color: ink, borderStyle: 'dashed' },
  }[word]
  return text(
    { ...sans, fontSize: 38, letterSpacing: 4, padding: '4px 18px', border: '5px solid', ...look },
    word.toUpperCase(),
  )
}

function square(style: Style): Node {
  return box({ width: 24, height: 24, border: `4px solid ${ink}`, ...style }, [])
}

function column(style: Style, children: readonly Node[]): Node {
  return box({ flexDirection: 'column', ...style }, children)
}

function box(style: Style, children: readonly Node[]): Node {
  return { type: 'div', props: { style: { display: 'flex', boxSizing: 'border-box', ...style }, children } }
}

function text(style: Style, children: string): Node {
  return { type: 'div', props: { style: { display: 'block', overflow: 'hidden', ...style }, children } }
}

const scripts = ['latin', 'latin-ext', 'vietnamese', 'greek', 'cyrillic', 'cyrillic-ext']
const fonts: Font[] = [
  ...scripts.flatMap((script) =>
    ([400, 700] as const).map((weight) => font('source-serif-4', script, weight)),
  ),
  font('source-sans-3', 'latin', 700),
]
const sans = { fontFamily: 'source-sans-3 latin', fontWeight: 700 }

function serif(fontWeight: 400 | 700): Style {
  return { fontFamily: scripts.map((script) => `source-serif-4 ${script}`).join(', '), fontWeight }
}

/** One of Fontsource's files: a script of a family in a weight (SIL Open Font License). */
function font(family: string, script: string, weight: 400 | 700): Font {
  const file = `@fontsource/${family}/files/${family}-${script}-${weight}-normal.woff`
  const data = readFileSync(createRequire(import.meta.url).resolve(file))
  return { name: `${family} ${script}`, data, weight, style: 'normal' }
}
