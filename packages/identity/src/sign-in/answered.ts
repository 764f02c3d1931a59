/** The library's answer as a response, also where one of its hooks refused, which it throws. Told by its shape, because
 *  the library itself is loaded late. */
export async function answered(call: Promise<Response>): Promise<Response> {
  try {
    return await call;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return Response.json(error.body ?? { message: error.message }, { status: error.statusCode });
  }
}

function isRefusal(error: unknown): error is Error & { statusCode: number; body?: object } {
  return error instanceof Error && error.name === "APIError" && "statusCode" in error;
}
