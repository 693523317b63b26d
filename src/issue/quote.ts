import type { Review, Tool } from '../verdict/comparison.ts'
import { panelVerdict } from '../verdict/panel.ts'
import { type Excerpt, excerpt, splitSentences } from './excerpt.ts'

/** The sharpest words said about one tool, and whose they are. */
export type PullQuote = Excerpt & { readonly review: Review }

const most = 260
const ideal = 150

/** Words with which reviewers commit themselves; a sentence that has them says more than one that describes. */
const committed =
  /\b(kills?|breaks?|wins?|loses?|moat|only|never|nobody|genuin\w*|real|rare\w*|wrong|earn\w*|obsolete|risk|fails?|ceiling|cheap\w*|cost\w*|expensive|ship\w*|skip\w*|worth|better|worse|why)\b/gi

/**
 * The sentence to print from a tool's reviews: from whoever disagrees with the rest of the panel, else from the
 * skeptic, else from the first; of that review the sentence that commits itself most and is closest to a good length.
 */
export function pullQuote(tool: Tool): PullQuote {
  const review = speaker(tool)
  const [best] = splitSentences(review.quote)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
    .map((sentence, index) => ({ sentence, index, weight: weigh(sentence) }))
    .sort((a, b) => b.weight - a.weight || a.index - b.index)
  const chosen = excerpt(best?.sentence ?? review.quote, most)
  return { text: chosen.text, isCut: chosen.isCut || chosen.text !== review.quote.trim(), review }
}

function speaker(tool: Tool): Review {
  const { ships, of } = panelVerdict(tool)
  const dissent = ships * 2 > of ? 'skip' : 'ship'
  const dissenters = tool.reviews.filter((review) => review.verdict === dissent)
  const isDivided = dissenters.length > 0 && dissenters.length < of
  const voices = isDivided ? dissenters : tool.reviews
  const speaks = voices.find((review) => review.reviewer === 'skeptic') ?? voices[0]
  if (!speaks) throw new Error(`Tool ${tool.slug} has no reviews`)
  return speaks
}

function weigh(sentence: string): number {
  const commitment = Math.min(sentence.match(committed)?.length ?? 0, 3)
  const strayed = Math.abs(sentence.length - ideal) / ideal
  return commitment - 2 * strayed - (sentence.length > most ? 2 : 0)
}
