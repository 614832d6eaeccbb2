// Calls a calculator: build/client HOST:PORT, or build/client unix:PATH
#include <calculator.capnp.h>
#include <capnp/ez-rpc.h>
#include <kj/function.h>
#include <cmath>
#include <cstdio>

namespace calculator {

static Function::Client getOperator(Calculator::Client calculator, Operator op) {
  auto request = calculator.getOperatorRequest();
  request.setOperator(op);
  return request.send().getFunction();
}

static kj::Promise<double> readValue(Value::Client value) {
  return value.readRequest().send().then(
      [](capnp::Response<Value::ReadResults>&& results) { return results.getNumber(); });
}

static kj::Promise<double> callFunction(Function::Client function, kj::ArrayPtr<const double> arguments) {
  auto request = function.callRequest();
  request.setArguments(arguments);
  return request.send().then([](capnp::Response<Function::CallResults>&& results) { return results.getResult(); });
}

static void setCall(Step::Builder step, Function::Client function, unsigned arity) {
  auto call = step.initCall();
  call.setFunction(kj::mv(function));
  call.setArity(arity);
}

// A function of this client's own.
class OwnFunction final : public Function::Server {
public:
  using Compute = kj::Function<kj::Promise<double>(capnp::List<double>::Reader)>;
  explicit OwnFunction(Compute compute) : compute(kj::mv(compute)) {}

  kj::Promise<void> call(CallContext context) override {
    return compute(context.getParams().getArguments()).then([context](double result) mutable {
      context.getResults().setResult(result);
    });
  }

private:
  Compute compute;
};

static void demonstrate(Calculator::Client calculator, kj::WaitScope& waitScope) {
  // One round trip: nothing has come back when the last of these calls goes out, not even the calculator.
  auto add = getOperator(calculator, Operator::ADD);
  auto multiply = getOperator(calculator, Operator::MULTIPLY);
  auto sumRequest = calculator.evaluateRequest();
  auto sumProgram = sumRequest.initProgram(3);
  sumProgram[0].setNumber(2);
  sumProgram[1].setNumber(3);
  setCall(sumProgram[2], add, 2);
  Value::Client sum = sumRequest.send().getValue();
  printf("2 + 3 = %g\n", readValue(sum).wait(waitScope));

  // A value is an object, which other programs read: the number does not pass through here.
  auto squareRequest = calculator.evaluateRequest();
  auto squareProgram = squareRequest.initProgram(3);
  squareProgram[0].setValue(sum);
  squareProgram[1].setValue(sum);
  setCall(squareProgram[2], multiply, 2);
  printf("its square = %g\n", readValue(squareRequest.send().getValue()).wait(waitScope));

  // A function that the server keeps.
  auto definition = calculator.defineFunctionRequest();
  definition.setArity(1);
  auto body = definition.initBody(5);
  for (unsigned i = 0; i < 3; i++) body[i].setArgument(0);
  for (unsigned i = 3; i < 5; i++) setCall(body[i], multiply, 2);
  Function::Client cube = definition.send().getFunction();
  printf("the cube of 3 = %g\n", callFunction(cube, {3.0}).wait(waitScope));

  // A function of this client's own, which the server calls back, and one that calls the server again.
  Function::Client hypotenuse = kj::heap<OwnFunction>(
      [](capnp::List<double>::Reader sides) -> kj::Promise<double> { return std::hypot(sides[0], sides[1]); });
  Function::Client volume = kj::heap<OwnFunction>(
      [cube](capnp::List<double>::Reader side) mutable { return callFunction(cube, {side[0]}); });
  auto mixedRequest = calculator.evaluateRequest();
  auto mixedProgram = mixedRequest.initProgram(4);
  mixedProgram[0].setNumber(3);
  mixedProgram[1].setNumber(4);
  setCall(mixedProgram[2], hypotenuse, 2);
  setCall(mixedProgram[3], volume, 1);
  printf("the cube of the hypotenuse of 3 and 4 = %g\n",
         readValue(mixedRequest.send().getValue()).wait(waitScope));

  // A program fails where its value is read.
  auto brokenRequest = calculator.evaluateRequest();
  auto brokenProgram = brokenRequest.initProgram(2);
  brokenProgram[0].setNumber(1);
  setCall(brokenProgram[1], add, 2);
  auto failure = kj::runCatchingExceptions([&]() { readValue(brokenRequest.send().getValue()).wait(waitScope); });
  KJ_IF_MAYBE(exception, failure) printf("adding one number: %s\n", exception->getDescription().cStr());
}

}  // namespace calculator

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: client HOST:PORT | unix:PATH\n");
    return 2;
  }
  KJ_IF_MAYBE(exception, kj::runCatchingExceptions([&]() {
    capnp::EzRpcClient client(argv[1]);
    calculator::demonstrate(client.getMain<calculator::Calculator>(), client.getWaitScope());
  })) {
    fprintf(stderr, "%s\n", exception->getDescription().cStr());
    return 1;
  }
}
