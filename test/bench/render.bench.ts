/**
 * What one mail costs: `node test/bench/render.bench.ts`. Ours compiles once, renders once per issue and copies once per
 * reader; the naive way runs MJML and Handlebars for every reader, and here sets only the html, which flatters it.
 * Every mail is counted as bytes, so that no string stays an unbuilt rope. Medians of several rounds, on this machine.
 */
import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'
import mjml2html from 'mjml'
import { cutEdition, fillEdition, freezeEdition } from '../../src/issue/edition.ts'
import { issueView } from '../../src/issue/issue-view.ts'
import { loadIssueTemplates, renderIssue } from '../../src/issue/render.ts'
import { annsLinks, sampleComparisons, sampleIssue, setting } from '../setup/sample-issue.ts'

const folder = new URL('../../templates/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, folder), 'utf8')
const source = read('email/issue.mjml.hbs')
const partials = {
  'mail-stamp': read('partials/mail-stamp.hbs'),
  'mail-comparison': read('partials/mail-comparison.hbs'),
}

const issue = sampleIssue()
const templates = loadIssueTemplates()
const edition = freezeEdition(renderIssue(templates, issue, setting))
const cut = cutEdition(edition)

const compile = await seconds(() => loadIssueTemplates(), 20)
const render = await seconds(() => weigh(renderIssue(templates, issue, setting)), 100)
const personalise = await seconds(() => weigh(fillEdition(cut, annsLinks)), 2000)
const mjmlThenHandlebars = await seconds(() => mailByMjmlThenHandlebars(), 20)
const handlebarsThenMjml = await seconds(() => mailByHandlebarsThenMjml(), 10)

print('MJML compile, once per process', compile, 'times/s')
print('render, once per issue', render, 'issues/s')
print('personalise per reader', personalise, 'mails/s', `×${ratio(mjmlThenHandlebars)} of MJML per reader`)
print('  naive: Handlebars per reader', render, 'mails/s', `ours ×${ratio(render)}`)
print('  naive: MJML, then Handlebars', mjmlThenHandlebars, 'mails/s', `ours ×${ratio(mjmlThenHandlebars)}`)
print('  naive: Handlebars, then MJML', handlebarsThenMjml, 'mails/s', `ours ×${ratio(handlebarsThenMjml)}`)
console.log()
bytes('edition, 6 comparisons', edition)
bytes(
  'edition, 10 comparisons',
  renderIssue(templates, sampleIssue(sampleComparisons().slice(0, 10)), setting),
)

/** Every reader's mail from the template up, data last: what the order of our compilation costs when it is not kept. */
async function mailByMjmlThenHandlebars(): Promise<number> {
  const { html } = await mjml2html(source, { ignoreIncludes: true, fonts: {} })
  return weigh({ html: setWith(html) })
}

/** The usual way round: data first, so that MJML has to parse every comparison again for every reader. */
async function mailByHandlebarsThenMjml(): Promise<number> {
  const { html } = await mjml2html(setWith(source), { ignoreIncludes: true, fonts: {} })
  return weigh({ html })
}

function setWith(template: string): string {
  const engine = Handlebars.create()
  engine.registerPartial(partials)
  return engine.compile(template)({ ...issueView(issue, setting), ...annsLinks })
}

function weigh({ html, text = '' }: { html: string; text?: string }): number {
  return Buffer.byteLength(html) + Buffer.byteLength(text)
}

/** Median seconds of one call, over five rounds after one to warm up. */
async function seconds(work: () => unknown, times: number): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < 6; round++) {
    const start = performance.now()
    for (let time = 0; time < times; time++) await work()
    if (round > 0) rounds.push((performance.now() - start) / times / 1000)
  }
  return rounds.toSorted((a, b) => a - b)[2] ?? Number.NaN
}

function ratio(naive: number): string {
  return grouped(naive / personalise)
}

function print(label: string, cost: number, unit: string, beside = ''): void {
  const each = `${(cost * 1000).toFixed(cost < 0.001 ? 4 : 2)} ms`
  console.log(
    `${label.padEnd(32)}${each.padStart(12)}${grouped(1 / cost).padStart(12)} ${unit.padEnd(10)}${beside}`.trimEnd(),
  )
}

function bytes(label: string, { html, text }: { html: string; text: string }): void {
  console.log(
    `${label.padEnd(32)}${grouped(Buffer.byteLength(html))} bytes html, ${grouped(Buffer.byteLength(text))} bytes text`,
  )
}

function grouped(figure: number): string {
  return Math.round(figure).toLocaleString('en-GB')
}
