import { z } from 'zod'
import type { Onlooker } from '../../delivery/preview.ts'

/** The ways to look at an edition, in the order of their tabs. `note` says what a frame does to the bytes, and why. */
export const views = [
  { view: 'phone', label: 'Phone', note: 'Drawn 390 pixels wide, in light.' },
  { view: 'desktop', label: 'Desktop', note: 'Drawn as wide as there is room, in light.' },
  {
    view: 'dark',
    label: 'Dark',
    note: 'The same bytes as a mail program in the dark draws them: their dark style is switched on for this frame alone.',
  },
  {
    view: 'images',
    label: 'Images off',
    note: 'No image is loaded: what is left is what a careful mail program shows first.',
  },
  {
    view: 'web',
    label: 'Web version',
    note: 'What the issue’s own page will show to anybody, once the issue has begun to go out.',
  },
  { view: 'text', label: 'Plain text', note: 'The text part, as programs show it that draw no HTML.' },
  { view: 'source', label: 'Source', note: 'The HTML part byte for byte, the reader’s own links included.' },
  {
    view: 'headers',
    label: 'Headers',
    note: 'What is handed to the transport beside the two parts. The provider adds its own.',
  },
] as const

export type View = (typeof views)[number]['view']

/** What every frame does to a mail's links. */
export const frameNote =
  'In the frame, links open in a tab of their own; counted links lead straight to their page and are not counted; the reader’s own links lead to a page that says what they are. Nothing else is changed.'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What a preview's address asks for; what makes no sense is a phone, and a new reader. */
export const previewQuery = z.object({
  view: z.enum(views.map(({ view }) => view)).catch('phone'),
  as: z.string().max(200).catch('weekly').transform(onlookerOf),
})

/** An onlooker as an address has it. Never an e-mail address: those stay out of URLs, and so out of every log. */
export function asWritten(onlooker: Onlooker): string {
  switch (onlooker.kind) {
    case 'weekly':
    case 'new':
    case 'monthly':
      return onlooker.kind
    case 'follows':
      return `follows:${onlooker.category}`
    case 'reader':
      return onlooker.publicId
    case 'address':
      return 'weekly'
  }
}

function onlookerOf(written: string): Onlooker {
  if (written === 'monthly' || written === 'new') return { kind: written }
  if (written.startsWith('follows:')) return { kind: 'follows', category: written.slice('follows:'.length) }
  return uuid.test(written) ? { kind: 'reader', publicId: written } : { kind: 'weekly' }
}
