import type { LineId } from './finding.ts'

/** How a line that stops an issue is mended, in a sentence. */
export const mends: Readonly<Record<LineId, string>> = {
  week: 'Publish more and draft it again, take a comparison back in, or say that it goes all the same.',
  size: 'Leave a comparison out, or shorten a quote or the intro note.',
  links: 'Publish the comparison again, leave it out, or correct the link.',
  placeholders: 'Correct the words, in the issue or in the comparison that they come from.',
  unsubscribe: 'Draft it again; check SIGNING_KEYS and PUBLIC_URL with verdict doctor.',
  'postal-address': 'Set POSTAL_ADDRESS where you can be reached, start again, and draft it again.',
  text: 'Draft it again, so that both parts come from the same comparisons.',
  subject: 'Write another subject.',
  preheader: 'Write another preheader.',
  images: 'Give each image its words.',
  structure: 'Mend the template.',
  contrast: 'Mend the colours of the template.',
  axe: 'Mend the template.',
  clients: 'Look at it in these programs; if it is harmless, renew the baseline with npm run mail:baseline.',
  spam: 'Say it in other words.',
  ratios: 'Say more, or link less.',
  audience:
    'See who came and who left, and whether an import or a filter went wrong; or say that it goes all the same.',
  sender: 'Set the variable, start again, and run verdict doctor.',
  complaints:
    'See what readers objected to, and whom you write to. Then say that it goes all the same, with the reason.',
  bounces:
    'Take dead addresses off the list, above all imported ones. Then say that it goes all the same, with the reason.',
}
