// Serves a calculator: build/server HOST:PORT, or build/server unix:PATH
#include <calculator.capnp.h>
#include <capnp/ez-rpc.h>
#include <kj/debug.h>
#include <kj/one-of.h>
#include <cstdio>
#include <memory>
#include <vector>

namespace calculator {

struct Argument {
  unsigned index;
};

struct Application {
  Function::Client function;
  unsigned arity;
};

// `Step` of the schema, out of its message.
using OwnStep = kj::OneOf<double, Value::Client, Argument, Application>;
using Program = kj::Array<OwnStep>;

// A program that runs. Calls what the program names, wherever that lives.
struct Run {
  std::shared_ptr<Program> program;
  kj::Array<double> arguments;
  std::vector<double> stack;
};

static OwnStep readStep(Step::Reader step) {
  switch (step.which()) {
    case Step::NUMBER: return step.getNumber();
    case Step::VALUE: return step.getValue();
    case Step::ARGUMENT: return Argument{step.getArgument()};
    case Step::CALL: return Application{step.getCall().getFunction(), step.getCall().getArity()};
  }
  KJ_UNIMPLEMENTED("The program has a step of an unknown kind.");
}

// A copy of its own: the message that it came in is gone when its call has returned.
static std::shared_ptr<Program> readProgram(capnp::List<Step>::Reader steps) {
  return std::make_shared<Program>(KJ_MAP(step, steps) { return readStep(step); });
}

static kj::Promise<double> callFunction(Function::Client function, kj::ArrayPtr<const double> arguments) {
  auto request = function.callRequest();
  request.setArguments(arguments);
  return request.send().then([](capnp::Response<Function::CallResults>&& results) { return results.getResult(); });
}

static kj::Promise<double> runFrom(std::shared_ptr<Run> run, size_t at) {
  auto& stack = run->stack;
  auto goOn = [run, at](double number) {
    run->stack.push_back(number);
    return runFrom(run, at + 1);
  };
  if (at == run->program->size()) {
    if (stack.size() != 1) KJ_FAIL_REQUIRE("The program does not leave one number alone.");
    return stack[0];
  }
  auto& step = (*run->program)[at];
  KJ_SWITCH_ONEOF(step) {
    KJ_CASE_ONEOF(number, double) { return goOn(number); }
    KJ_CASE_ONEOF(value, Value::Client) {
      return value.readRequest().send().then([goOn](capnp::Response<Value::ReadResults>&& results) mutable {
        return goOn(results.getNumber());
      });
    }
    KJ_CASE_ONEOF(argument, Argument) {
      if (argument.index >= run->arguments.size()) KJ_FAIL_REQUIRE("There is no such argument.");
      return goOn(run->arguments[argument.index]);
    }
    KJ_CASE_ONEOF(application, Application) {
      if (application.arity > stack.size()) KJ_FAIL_REQUIRE("The stack has too few numbers.");
      auto arguments = stack.end() - application.arity;
      auto result = callFunction(application.function, kj::arrayPtr(&*arguments, application.arity));
      stack.erase(arguments, stack.end());
      return result.then(kj::mv(goOn));
    }
  }
  KJ_UNREACHABLE;
}

// What fails at once fails like what fails later.
static kj::Promise<double> runProgram(std::shared_ptr<Program> program, kj::Array<double> arguments) {
  auto run = std::make_shared<Run>(Run{kj::mv(program), kj::mv(arguments), {}});
  return kj::evalNow([&]() { return runFrom(run, 0); });
}

static void requireArity(capnp::List<double>::Reader arguments, unsigned arity) {
  if (arguments.size() != arity) KJ_FAIL_REQUIRE("The function takes another count of numbers.");
}

// Everything that was asked for while the number is not known waits for it.
class ValueServer final : public Value::Server {
public:
  explicit ValueServer(kj::Promise<double> number) : number(number.fork()) {}

  kj::Promise<void> read(ReadContext context) override {
    return number.addBranch().then([context](double known) mutable { context.getResults().setNumber(known); });
  }

private:
  kj::ForkedPromise<double> number;
};

class OperatorServer final : public Function::Server {
public:
  explicit OperatorServer(Operator op) : op(op) {}

  kj::Promise<void> call(CallContext context) override {
    auto arguments = context.getParams().getArguments();
    requireArity(arguments, 2);
    context.getResults().setResult(operate(arguments[0], arguments[1]));
    return kj::READY_NOW;
  }

private:
  Operator op;

  double operate(double a, double b) {
    switch (op) {
      case Operator::ADD: return a + b;
      case Operator::SUBTRACT: return a - b;
      case Operator::MULTIPLY: return a * b;
      case Operator::DIVIDE: return a / b;
    }
    KJ_UNIMPLEMENTED("There is no such operator.");
  }
};

class DefinedFunction final : public Function::Server {
public:
  DefinedFunction(unsigned arity, std::shared_ptr<Program> body) : arity(arity), body(kj::mv(body)) {}

  kj::Promise<void> call(CallContext context) override {
    auto given = context.getParams().getArguments();
    requireArity(given, arity);
    auto arguments = KJ_MAP(number, given) { return number; };
    return runProgram(body, kj::mv(arguments)).then([context](double result) mutable {
      context.getResults().setResult(result);
    });
  }

private:
  unsigned arity;
  std::shared_ptr<Program> body;
};

class CalculatorServer final : public Calculator::Server {
public:
  kj::Promise<void> evaluate(EvaluateContext context) override {
    auto program = readProgram(context.getParams().getProgram());
    context.getResults().setValue(kj::heap<ValueServer>(runProgram(kj::mv(program), nullptr)));
    return kj::READY_NOW;
  }

  kj::Promise<void> getOperator(GetOperatorContext context) override {
    context.getResults().setFunction(kj::heap<OperatorServer>(context.getParams().getOperator()));
    return kj::READY_NOW;
  }

  kj::Promise<void> defineFunction(DefineFunctionContext context) override {
    auto params = context.getParams();
    context.getResults().setFunction(kj::heap<DefinedFunction>(params.getArity(), readProgram(params.getBody())));
    return kj::READY_NOW;
  }
};

}  // namespace calculator

static void serve(kj::StringPtr address) {
  capnp::EzRpcServer server(kj::heap<calculator::CalculatorServer>(), address);
  unsigned port = server.getPort().wait(server.getWaitScope());
  KJ_IF_MAYBE(colon, address.findLast(':')) {
    bool isPath = address.startsWith("unix:");
    auto where = isPath ? kj::str(address) : kj::str(address.slice(0, *colon), ':', port);
    printf("listening on %s\n", where.cStr());
    fflush(stdout);
  }
  kj::NEVER_DONE.wait(server.getWaitScope());
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: server HOST:PORT | unix:PATH\n");
    return 2;
  }
  KJ_IF_MAYBE(exception, kj::runCatchingExceptions([&]() { serve(argv[1]); })) {
    fprintf(stderr, "%s\n", exception->getDescription().cStr());
    return 1;
  }
}
