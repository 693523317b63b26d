import { z } from 'zod'

/** One mail of a batch call that Resend logged, by the tags that it carried, with the id that Resend gave it. */
export type CalledMail = {
  readonly batchId: string
  readonly publicId: string
  readonly providerId: string
}

/** A batch call of ours that Resend answered with its ids. */
export type AcceptedCall = { readonly logId: string; readonly mails: readonly CalledMail[] }

const tag = z.object({ name: z.string(), value: z.string() })
const log = z.object({
  id: z.string(),
  request_body: z.array(z.object({ tags: z.array(tag).catch([]) })).min(1),
  response_body: z.object({ data: z.array(z.object({ id: z.string().min(1) })) }),
})

/** What a logged call proves; undefined where its bodies are missing, carry no tags of ours, or do not fit each other. */
export function readCall(logged: unknown): AcceptedCall | undefined {
  const { data: call } = log.safeParse(logged)
  if (!call || call.request_body.length !== call.response_body.data.length) return undefined
  const mails = call.request_body.flatMap(({ tags }, index) => {
    const value = (name: string) => tags.find((one) => one.name === name)?.value
    const [batchId, publicId] = [value('batch'), value('delivery')]
    const providerId = call.response_body.data[index]?.id
    return batchId && publicId && providerId ? [{ batchId, publicId, providerId }] : []
  })
  return mails.length === call.request_body.length ? { logId: call.id, mails } : undefined
}
